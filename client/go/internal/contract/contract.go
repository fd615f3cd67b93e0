// Package contract tests what every tokens.Validator must do, so that the one
// for tests is held to what the service does.
package contract

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tokens "tokens.wemasy.com/client/go"
	"tokens.wemasy.com/client/go/tokensv1"
)

// Subject is a validator, and whoever issues its tokens.
type Subject interface {
	tokens.Validator
	// Issue makes a token for identity, whose Name the issuer chooses.
	Issue(t *testing.T, identity tokens.Identity) (token string, name string)
	// Revoke revokes a token that Issue returned.
	Revoke(t *testing.T, token string)
}

const (
	project = "projects/go-contract"
	// Never issued, but of the right form: docs/token-format.md.
	unknownToken = "wmsy_kwoEaQxqGV4S3oUccpFeOf5Vafi37041P62J"
	// Until tokens that expire in a test do.
	lifetime = 5 * time.Second
)

func identity() tokens.Identity {
	return tokens.Identity{
		Project:  project,
		Creator:  "user-7",
		Scopes:   []string{"pages:read", "pages:write"},
		Metadata: map[string]string{"team": "blue"},
	}
}

// Test runs the contract's tests on s.
func Test(t *testing.T, s Subject) {
	t.Run("ValidTokenHasItsIdentity", func(t *testing.T) { testValid(t, s) })
	t.Run("RefusalsHaveNothingButTheName", func(t *testing.T) { testRefusals(t, s) })
	t.Run("TokenExpires", func(t *testing.T) { testExpiry(t, s) })
	t.Run("MalformedRequirementsAreInvalid", func(t *testing.T) { testRequirements(t, s) })
}

func testValid(t *testing.T, s Subject) {
	want := identity()
	// The service keeps microseconds.
	want.ExpireTime = time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	token, name := s.Issue(t, want)
	want.Name = name
	slices.Reverse(want.Scopes) // the issuer's order does not matter
	again, _ := s.Issue(t, want)
	slices.Sort(want.Scopes)

	for _, need := range []tokens.Requirements{
		{},
		{Project: project},
		{Scopes: []string{"pages:write", "pages:read", "pages:read"}, Project: project},
	} {
		got := validate(t, s, token, need)
		if got.Verdict != tokensv1.Verdict_VERDICT_VALID {
			t.Errorf("with %+v: %v, want VALID", need, got.Verdict)
		}
		if !reflect.DeepEqual(got.Identity, want) {
			t.Errorf("with %+v: %+v, want %+v", need, got.Identity, want)
		}
	}
	if got := validate(t, s, again, tokens.Requirements{}).Identity.Scopes; !slices.IsSorted(got) {
		t.Errorf("scopes are %v, want them sorted", got)
	}
}

func testRefusals(t *testing.T, s Subject) {
	live, name := s.Issue(t, identity())
	revoked, revokedName := s.Issue(t, identity())
	validate(t, s, revoked, tokens.Requirements{})
	s.Revoke(t, revoked)

	const other = "projects/go-other"
	for _, c := range []struct {
		name  string
		token string
		need  tokens.Requirements
		want  tokensv1.Verdict
		is    string
	}{
		{"Unknown", unknownToken, tokens.Requirements{}, tokensv1.Verdict_VERDICT_UNKNOWN, ""},
		{"Revoked", revoked, tokens.Requirements{}, tokensv1.Verdict_VERDICT_REVOKED, revokedName},
		{"RevokedBeforeAllElse", revoked, tokens.Requirements{Scopes: []string{"nothing"}, Project: other},
			tokensv1.Verdict_VERDICT_REVOKED, revokedName},
		{"WrongProject", live, tokens.Requirements{Project: other},
			tokensv1.Verdict_VERDICT_WRONG_PROJECT, name},
		{"WrongProjectBeforeScope", live, tokens.Requirements{Scopes: []string{"nothing"}, Project: other},
			tokensv1.Verdict_VERDICT_WRONG_PROJECT, name},
		{"InsufficientScope", live, tokens.Requirements{Scopes: []string{"pages:read", "nothing"}},
			tokensv1.Verdict_VERDICT_INSUFFICIENT_SCOPE, name},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := tokens.Answer{Verdict: c.want, Identity: tokens.Identity{Name: c.is}}
			if got := validate(t, s, c.token, c.need); !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
	for _, text := range []string{"\xff\xfe", "", "no token"} {
		if got := validate(t, s, text, tokens.Requirements{}); got.Verdict == tokensv1.Verdict_VERDICT_VALID {
			t.Errorf("%q is VALID", text)
		}
	}
}

func testExpiry(t *testing.T, s Subject) {
	brief := identity()
	brief.ExpireTime = time.Now().Add(lifetime)
	token, name := s.Issue(t, brief)
	want := tokens.Answer{
		Verdict:  tokensv1.Verdict_VERDICT_EXPIRED,
		Identity: tokens.Identity{Name: name},
	}
	var got tokens.Answer
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		got = validate(t, s, token, tokens.Requirements{})
		if reflect.DeepEqual(got, want) {
			return
		}
	}
	t.Errorf("%+v, want %+v", got, want)
}

func testRequirements(t *testing.T, s Subject) {
	token, _ := s.Issue(t, identity())
	long := make([]byte, 65)
	for i := range long {
		long[i] = 'a'
	}
	for name, need := range map[string]tokens.Requirements{
		"ScopeOfOtherCharacters": {Scopes: []string{"pages:read", "Pages:Read"}},
		"EmptyScope":             {Scopes: []string{""}},
		"LongScope":              {Scopes: []string{string(long)}},
		"ManyScopes":             {Scopes: slices.Repeat([]string{"pages:read"}, 65)},
		"BareProject":            {Project: "demo"},
		"ProjectWithoutName":     {Project: "projects/"},
		"LongProject":            {Project: "projects/" + string(long[:64])},
		"ProjectEndsWithHyphen":  {Project: "projects/demo-"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Validate(t.Context(), token, need)
			if got := status.Code(err); got != codes.InvalidArgument {
				t.Errorf("%v, want %v", got, codes.InvalidArgument)
			}
		})
	}
	most := tokens.Requirements{
		Scopes:  append(slices.Repeat([]string{"pages:read"}, 63), string(long[:64])),
		Project: "projects/" + string(long[:63]),
	}
	validate(t, s, token, most)
}

func validate(t *testing.T, s Subject, token string, need tokens.Requirements) tokens.Answer {
	t.Helper()
	answer, err := s.Validate(t.Context(), token, need)
	if err != nil {
		t.Fatalf("Validate: %v", err)
	}
	return answer
}
