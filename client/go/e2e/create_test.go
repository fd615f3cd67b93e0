package e2e

import (
	"context"
	"testing"

	tokens "tokens.wemasy.com/client/go"
	"tokens.wemasy.com/client/go/tokensv1"
)

// newRequest asks for a token of a project that no other test and no other run
// uses.
func newRequest() *tokensv1.CreateTokenRequest {
	id := newRequestID()
	return &tokensv1.CreateTokenRequest{
		Parent:    "projects/go-" + id,
		Token:     &tokensv1.Token{DisplayName: "retried"},
		Actor:     "user-7",
		RequestId: id,
	}
}

// expectOne checks that what was created is valid, and the project's only token.
func (s *service) expectOne(t *testing.T, project string, created *tokensv1.CreateTokenResponse) {
	t.Helper()
	list, err := s.manager.ListTokens(t.Context(), &tokensv1.ListTokensRequest{Parent: project})
	if err != nil {
		t.Fatal(err)
	}
	name := created.GetToken().GetName()
	if found := list.GetTokens(); len(found) != 1 || found[0].GetName() != name {
		t.Errorf("the project has %v, want only %s", found, name)
	}
	answer, err := s.Validate(t.Context(), created.GetSecret(), tokens.Requirements{Project: project})
	if err != nil || answer.Verdict != tokensv1.Verdict_VERDICT_VALID {
		t.Errorf("%v, %v, want VALID", answer.Verdict, err)
	}
	t.Cleanup(func() {
		if err := s.revoke(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
}

func TestCreateWhoseReplyIsLostIsRetriedAndMakesOneToken(t *testing.T) {
	service := newService(t)
	relay := newRelay(t, target)
	manager := tokensv1.NewTokenServiceClient(dial(t, relay.address()))
	request := newRequest()
	relay.loseNextReply()
	created, err := manager.CreateToken(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if relay.losesReply() {
		t.Fatal("no reply was lost")
	}
	service.expectOne(t, request.GetParent(), created)
}

func TestCreateThatIsRepeatedMakesOneToken(t *testing.T) {
	service := newService(t)
	request := newRequest()
	first, err := service.manager.CreateToken(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	second, err := service.manager.CreateToken(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	service.expectOne(t, request.GetParent(), second)
	// The secret that may have been lost on its way is good for nobody.
	answer, err := service.Validate(t.Context(), first.GetSecret(), tokens.Requirements{})
	if err != nil || answer.Verdict == tokensv1.Verdict_VERDICT_VALID {
		t.Errorf("the first secret: %v, %v, want a refusal", answer.Verdict, err)
	}
}
