package tokens_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tokens "tokens.wemasy.com/client/go"
	"tokens.wemasy.com/client/go/tokenstest"
	"tokens.wemasy.com/client/go/tokensv1"
)

func post(t *testing.T, handler http.Handler, target, form string) int {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(form))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Code
}

// outcome is what a refused caller sees.
type outcome struct {
	httpStatus int
	challenge  string
	text       string
	code       codes.Code
}

var (
	notValid = outcome{401, `Bearer realm="wemasy", error="invalid_token"`,
		"a valid API token is required", codes.Unauthenticated}
	notNow  = outcome{503, "", "try again in a moment", codes.Unavailable}
	ourBug  = outcome{500, "", "internal error", codes.Internal}
	missing = outcome{401, `Bearer realm="wemasy"`,
		"a valid API token is required", codes.Unauthenticated}
	several = outcome{400, `Bearer realm="wemasy", error="invalid_request"`,
		"more than one credential", codes.InvalidArgument}
	otherProject = outcome{403, `Bearer realm="wemasy", error="insufficient_scope"`,
		"the API token may not do this", codes.PermissionDenied}
	noScope = outcome{403, `Bearer realm="wemasy", error="insufficient_scope", scope="a:b z:y"`,
		"the API token may not do this", codes.PermissionDenied}
)

// expect sends a request over HTTP and gRPC, and checks that it is refused so.
func expect(t *testing.T, guard *tokens.Guard, need tokens.Requirements, header http.Header, want outcome) {
	t.Helper()
	response, seen := serve(t, guard, need, header)
	wantHeader := http.Header{
		"Content-Type":  {"application/json"},
		"Cache-Control": {"no-store"},
	}
	if want.challenge != "" {
		wantHeader["Www-Authenticate"] = []string{want.challenge}
	}
	if want.httpStatus == 503 {
		wantHeader["Retry-After"] = []string{"1"}
	}
	wantBody := fmt.Sprintf("{\"error\":%q}\n", want.text)
	if response.Code != want.httpStatus || !reflect.DeepEqual(response.Header(), wantHeader) ||
		response.Body.String() != wantBody {
		t.Errorf("over HTTP %d %v %q, want %d %v %q", response.Code, response.Header(), response.Body,
			want.httpStatus, wantHeader, wantBody)
	}
	called, err := call(t, guard, ruleOf(need), header)
	if s := status.Convert(err); s.Code() != want.code || s.Message() != want.text {
		t.Errorf("over gRPC %v, want %v: %s", err, want.code, want.text)
	}
	if seen != nil || called != nil {
		t.Error("the handler was called")
	}
}

func TestEveryOtherVerdictThanValidIsRefused(t *testing.T) {
	// The route's order is not the challenge's, which is sorted.
	need := tokens.Requirements{Scopes: []string{"z:y", "a:b", "z:y"}}
	for verdict, want := range map[tokensv1.Verdict]outcome{
		tokensv1.Verdict_VERDICT_UNSPECIFIED:        notValid,
		tokensv1.Verdict_VERDICT_MALFORMED:          notValid,
		tokensv1.Verdict_VERDICT_UNKNOWN:            notValid,
		tokensv1.Verdict_VERDICT_REVOKED:            notValid,
		tokensv1.Verdict_VERDICT_EXPIRED:            notValid,
		tokensv1.Verdict_VERDICT_WRONG_PROJECT:      otherProject,
		tokensv1.Verdict_VERDICT_INSUFFICIENT_SCOPE: noScope,
		99: notValid,
	} {
		t.Run(verdict.String(), func(t *testing.T) {
			expect(t, quiet(always(verdict, nil)), need, bearer("abc"), want)
		})
	}
}

func TestNothingPassesOnAnError(t *testing.T) {
	failures := map[string]error{"Plain": errors.New("not of gRPC")}
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		failures[code.String()] = status.Error(code, "not for the caller")
	}
	for name, failure := range failures {
		t.Run(name, func(t *testing.T) {
			want := notNow
			if status.Code(failure) == codes.InvalidArgument {
				want = ourBug
			}
			// What comes with the error does not count.
			guard := quiet(always(tokensv1.Verdict_VERDICT_VALID, failure))
			expect(t, guard, tokens.Requirements{}, bearer("abc"), want)
		})
	}
}

func TestWithoutOneCredentialNobodyIsAsked(t *testing.T) {
	guard := quiet(validatorFunc(func(string, tokens.Requirements) (tokens.Answer, error) {
		t.Error("the validator was asked")
		return tokens.Answer{Verdict: tokensv1.Verdict_VERDICT_VALID}, nil
	}))
	need := tokens.Requirements{Scopes: []string{"a:b"}}
	expect(t, guard, need, nil, missing)
	expect(t, guard, need, http.Header{"Authorization": {"Bearer a", "Bearer b"}}, several)
}

func TestValidTokenPassesWithItsIdentity(t *testing.T) {
	validator := &tokenstest.Validator{}
	want := tokens.Identity{
		Name:     "projects/demo/tokens/t1",
		Project:  "projects/demo",
		Creator:  "user-7",
		Scopes:   []string{"a:b", "c:d"},
		Metadata: map[string]string{"team": "blue"},
	}
	validator.Add("abc", want)
	need := tokens.Requirements{Scopes: []string{"a:b"}, Project: "projects/demo"}
	response, seen := serve(t, quiet(validator), need, bearer("abc"))
	if response.Code != http.StatusOK || seen == nil || !reflect.DeepEqual(*seen, want) {
		t.Errorf("over HTTP %d with %+v, want 200 with %+v", response.Code, seen, want)
	}
	seen, err := call(t, quiet(validator), ruleOf(need), bearer("abc"))
	if err != nil || seen == nil || !reflect.DeepEqual(*seen, want) {
		t.Errorf("over gRPC %v with %+v, want %+v", err, seen, want)
	}
}

func TestRouteAsksForWhatItNeeds(t *testing.T) {
	need := tokens.Requirements{Scopes: []string{"z:y", "a:b"}, Project: "projects/demo"}
	guard := quiet(validatorFunc(func(_ string, got tokens.Requirements) (tokens.Answer, error) {
		if !reflect.DeepEqual(got, need) {
			t.Errorf("asked for %+v, want %+v", got, need)
		}
		return tokens.Answer{Verdict: tokensv1.Verdict_VERDICT_VALID}, nil
	}))
	serve(t, guard, need, bearer("abc"))
	call(t, guard, ruleOf(need), bearer("abc"))
}

func TestMethodsWithoutARuleAreClosed(t *testing.T) {
	guard := quiet(always(tokensv1.Verdict_VERDICT_VALID, nil))
	for name, c := range map[string]struct {
		rules tokens.MethodRules
		want  codes.Code
	}{
		"NoRules": {tokens.MethodRules{}, codes.Internal},
		"OtherRules": {tokens.MethodRules{
			Need: map[string]tokens.Requirements{"/test.v1.Test/Other": {}},
			Open: []string{"/test.v1.Test/", "/test.v1.Test/*"},
		}, codes.Internal},
		"Open":        {tokens.MethodRules{Open: []string{"/a/b", method}}, codes.OK},
		"NeedAndOpen": {tokens.MethodRules{Need: ruleOf(tokens.Requirements{}).Need, Open: []string{method}}, codes.Unauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := call(t, guard, c.rules, nil)
			if status.Code(err) != c.want {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestGuardWithoutAValidatorPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	new(tokens.Guard).Require(tokens.Requirements{})
}
