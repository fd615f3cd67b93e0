package tokenstest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tokens "tokens.wemasy.com/client/go"
	"tokens.wemasy.com/client/go/internal/contract"
	"tokens.wemasy.com/client/go/tokenstest"
	"tokens.wemasy.com/client/go/tokensv1"
)

// subject numbers its tokens.
type subject struct {
	tokenstest.Validator
	issued int
}

func (s *subject) Issue(_ *testing.T, identity tokens.Identity) (token, name string) {
	s.issued++
	token = fmt.Sprintf("token-%d", s.issued)
	identity.Name = identity.Project + "/tokens/" + token
	s.Add(token, identity)
	return token, identity.Name
}

func (s *subject) Revoke(_ *testing.T, token string) { s.Validator.Revoke(token) }

func TestValidatorDecidesAsTheServiceDoes(t *testing.T) {
	contract.Test(t, &subject{})
}

func TestUnavailableUntilToldOtherwise(t *testing.T) {
	var validator tokenstest.Validator
	validator.Add("alice", tokens.Identity{})
	for _, unavailable := range []bool{true, false} {
		validator.SetUnavailable(unavailable)
		answer, err := validator.Validate(t.Context(), "alice", tokens.Requirements{})
		want := map[bool]codes.Code{true: codes.Unavailable, false: codes.OK}[unavailable]
		if status.Code(err) != want {
			t.Errorf("SetUnavailable(%v): %v, want %v", unavailable, err, want)
		}
		if valid := answer.Verdict == tokensv1.Verdict_VERDICT_VALID; valid == unavailable {
			t.Errorf("SetUnavailable(%v): %v", unavailable, answer.Verdict)
		}
	}
}

func TestEndedContextIsAnError(t *testing.T) {
	var validator tokenstest.Validator
	validator.Add("alice", tokens.Identity{})
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	_, err := validator.Validate(ctx, "alice", tokens.Requirements{})
	if status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("%v, want DeadlineExceeded", err)
	}
}

func TestAddedAgainIsNotRevoked(t *testing.T) {
	var validator tokenstest.Validator
	validator.Add("alice", tokens.Identity{})
	validator.Revoke("alice")
	validator.Add("alice", tokens.Identity{})
	answer, err := validator.Validate(t.Context(), "alice", tokens.Requirements{})
	if err != nil || answer.Verdict != tokensv1.Verdict_VERDICT_VALID {
		t.Errorf("%v, %v, want VALID", answer.Verdict, err)
	}
}

func TestRevokingAnUnknownTokenPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	new(tokenstest.Validator).Revoke("alice")
}

func TestIdentitiesAreCopies(t *testing.T) {
	var validator tokenstest.Validator
	given := tokens.Identity{Scopes: []string{"a"}, Metadata: map[string]string{"k": "v"}}
	validator.Add("alice", given)
	for range 2 {
		given.Scopes[0], given.Metadata["k"] = "changed", "changed"
		answer, err := validator.Validate(t.Context(), "alice", tokens.Requirements{})
		if err != nil {
			t.Fatal(err)
		}
		given = answer.Identity
		if given.Scopes[0] != "a" || given.Metadata["k"] != "v" {
			t.Errorf("%+v was changed from outside", given)
		}
	}
}
