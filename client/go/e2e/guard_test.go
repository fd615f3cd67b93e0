package e2e

import (
	"net/http"
	"testing"
	"time"

	tokens "tokens.wemasy.com/client/go"
)

const (
	project = "projects/go-e2e"
	// Of the right form, and never issued: docs/token-format.md.
	unknownToken = "wmsy_kwoEaQxqGV4S3oUccpFeOf5Vafi37041P62J"
)

var (
	reader = tokens.Identity{Project: project, Creator: "user-7", Scopes: []string{"pages:read"}}
	toRead = tokens.Requirements{Project: project, Scopes: []string{"pages:read"}}
)

func bearer(tokens ...string) http.Header {
	header := http.Header{}
	for _, token := range tokens {
		header.Add("Authorization", "Bearer "+token)
	}
	return header
}

func TestGuardAnswersAsTheGatewayDoes(t *testing.T) {
	service := newService(t)
	token, name := service.Issue(t, reader)
	other, _ := service.Issue(t, tokens.Identity{Project: "projects/go-other", Creator: "user-7", Scopes: reader.Scopes})
	bare, _ := service.Issue(t, tokens.Identity{Project: project, Creator: "user-7"})

	both := bearer(token)
	both.Set("X-Api-Key", token)
	for _, c := range []struct {
		name   string
		header http.Header
		need   tokens.Requirements
		want   outcome
	}{
		{"Valid", bearer(token), toRead, passed},
		{"NoRequirements", bearer(token), tokens.Requirements{}, passed},
		{"Key", http.Header{"X-Api-Key": {token}}, toRead, passed},
		{"NoToken", http.Header{}, toRead, noToken},
		{"AnotherScheme", http.Header{"Authorization": {"Basic " + token}}, toRead, noToken},
		{"Malformed", bearer(token + "x"), toRead, noToken},
		{"Unknown", bearer(unknownToken), toRead, noToken},
		{"TwoTokens", bearer(token, token), toRead, badRequest},
		{"TwoTokensJoined", bearer(token + ",Bearer " + token), toRead, badRequest},
		{"TokenAndKey", both, toRead, badRequest},
		{"OtherProject", bearer(other), toRead, forbidden},
		{"MissingScope", bearer(bare), toRead, forbidden},
		{"MalformedScope", bearer(token), tokens.Requirements{Scopes: []string{"Pages:Read"}}, ourFault},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := ""
			if c.want == passed {
				want = name
			}
			protect(t, service, c.need).expect(t, c.header, c.want, want)
		})
	}
}

func TestRevokedTokenIsRefusedOnTheNextRequest(t *testing.T) {
	service := newService(t)
	token, name := service.Issue(t, reader)
	endpoint := protect(t, service, toRead)
	endpoint.expect(t, bearer(token), passed, name)
	service.Revoke(t, token)
	endpoint.expect(t, bearer(token), noToken, "")
}

func TestNothingPassesWhileTheServiceIsAway(t *testing.T) {
	service := newService(t)
	token, name := service.Issue(t, reader)
	relay := newRelay(t, target)
	client := newClient(t, relay.address())
	client.Timeout = 2 * time.Second
	endpoint := protect(t, client, toRead)
	endpoint.expect(t, bearer(token), passed, name)
	relay.stop()
	endpoint.expect(t, bearer(token), unavailable, "")
}
