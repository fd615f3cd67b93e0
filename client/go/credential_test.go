package tokens_test

import (
	"net/http"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tokens "tokens.wemasy.com/client/go"
	"tokens.wemasy.com/client/go/tokensv1"
)

func TestCredentialIsReadAsRFC6750Has(t *testing.T) {
	const (
		missing  = "(missing)"
		unusable = "(unusable)"
	)
	headers := func(pairs ...string) http.Header {
		header := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			header.Add(pairs[i], pairs[i+1])
		}
		return header
	}
	for _, c := range []struct {
		name   string
		header http.Header
		want   string
	}{
		{"None", headers(), missing},
		{"Others", headers("Cookie", "a=b", "Proxy-Authorization", "Bearer abc"), missing},
		{"Bearer", headers("Authorization", "Bearer abc"), "abc"},
		{"AnyCase", headers("authoriZation", "bEARER abc"), "abc"},
		{"RunOfSpaces", headers("Authorization", "Bearer   abc"), "abc"},
		{"Key", headers("X-Api-Key", "abc"), "abc"},
		{"SecondKeyHeader", headers("X-Token", "abc"), "abc"},
		{"KeyIsBare", headers("X-Api-Key", "Bearer abc"), unusable},
		{"UnknownKeyHeader", headers("X-Other-Key", "abc"), missing},
		{"AnotherScheme", headers("Authorization", "Basic abc"), missing},
		{"AnotherSchemeAndAKey", headers("Authorization", "Basic abc", "X-Api-Key", "k"), "k"},
		{"AnotherSchemeApart", headers("Authorization", "Basic abc", "Authorization", "Bearer k"), "k"},
		{"SchemeInAQuotedText", headers("Authorization", `Digest username="Bearer abc"`), missing},
		{"LongerScheme", headers("Authorization", "Bearers abc"), missing},
		{"ShorterScheme", headers("Authorization", "Bear abc"), missing},
		{"TabAfterScheme", headers("Authorization", "Bearer\tabc"), missing},
		{"EmptyHeader", headers("Authorization", ""), missing},
		{"NoToken", headers("Authorization", "Bearer"), unusable},
		{"EmptyToken", headers("Authorization", "Bearer "), unusable},
		{"EmptyKey", headers("X-Api-Key", ""), unusable},
		{"TrailingSpace", headers("Authorization", "Bearer abc "), unusable},
		{"Space", headers("Authorization", "Bearer a b"), unusable},
		{"Tab", headers("Authorization", "Bearer a\tb"), unusable},
		{"Joined", headers("Authorization", "Bearer a,Bearer b"), unusable},
		{"JoinedWithAnotherScheme", headers("Authorization", "Basic a, Bearer b"), unusable},
		{"Apart", headers("Authorization", "Bearer a", "Authorization", "Bearer a"), unusable},
		{"JoinedKeys", headers("X-Api-Key", "a,b"), unusable},
		{"TwoKeys", headers("X-Api-Key", "a", "X-Api-Key", "a"), unusable},
		{"KeysInTwoHeaders", headers("X-Api-Key", "a", "X-Token", "a"), unusable},
		{"BearerAndAKey", headers("Authorization", "Bearer a", "X-Api-Key", "a"), unusable},
		{"BearerAndAnEmptyKey", headers("Authorization", "Bearer a", "X-Api-Key", ""), unusable},
		{"OtherBytes", headers("Authorization", "Bearer \xff;\"\\"), "\xff;\"\\"},
	} {
		t.Run(c.name, func(t *testing.T) {
			presented := ""
			guard := quiet(validatorFunc(func(token string, _ tokens.Requirements) (tokens.Answer, error) {
				presented = token
				return tokens.Answer{Verdict: tokensv1.Verdict_VERDICT_VALID}, nil
				// Names are the same in any case, and Authorization is read once.
			}), "x-api-key", "X-API-Key", "authorization", "X-Token")

			response, _ := serve(t, guard, tokens.Requirements{}, c.header)
			got := map[int]string{200: presented, 400: unusable, 401: missing}[response.Code]
			if got != c.want {
				t.Errorf("over HTTP %q (%d), want %q", got, response.Code, c.want)
			}

			presented = ""
			_, err := call(t, guard, ruleOf(tokens.Requirements{}), c.header)
			got = map[codes.Code]string{
				codes.OK: presented, codes.InvalidArgument: unusable, codes.Unauthenticated: missing,
			}[status.Code(err)]
			if got != c.want {
				t.Errorf("over gRPC %q (%v), want %q", got, err, c.want)
			}
		})
	}
}

func TestTokensInQueriesAndBodiesAreNotRead(t *testing.T) {
	handler := quiet(always(tokensv1.Verdict_VERDICT_VALID, nil)).Require(tokens.Requirements{})(http.NotFoundHandler())
	for _, target := range []string{"/?access_token=abc", "/?token=abc"} {
		if got := post(t, handler, target, "access_token=abc"); got != http.StatusUnauthorized {
			t.Errorf("%s: %d, want 401", target, got)
		}
	}
}
