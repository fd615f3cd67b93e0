package tokens_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	tokens "tokens.wemasy.com/client/go"
	"tokens.wemasy.com/client/go/tokensv1"
)

const method = "/test.v1.Test/Test"

// validatorFunc is a Validator that is one function.
type validatorFunc func(token string, need tokens.Requirements) (tokens.Answer, error)

func (f validatorFunc) Validate(_ context.Context, token string, need tokens.Requirements) (tokens.Answer, error) {
	return f(token, need)
}

// always returns a Validator that has the same answer for everybody.
func always(verdict tokensv1.Verdict, err error) tokens.Validator {
	answer := tokens.Answer{
		Verdict:  verdict,
		Identity: tokens.Identity{Name: "projects/demo/tokens/t1"},
	}
	return validatorFunc(func(string, tokens.Requirements) (tokens.Answer, error) {
		return answer, err
	})
}

// quiet returns a guard that logs nothing.
func quiet(validator tokens.Validator, headers ...string) *tokens.Guard {
	return &tokens.Guard{
		Validator:    validator,
		TokenHeaders: headers,
		Logger:       slog.New(slog.DiscardHandler),
	}
}

// serve sends an HTTP request with these headers through guard, and returns the
// response, and the identity that the handler saw; nil if it was not called.
func serve(t *testing.T, guard *tokens.Guard, need tokens.Requirements, header http.Header) (*httptest.ResponseRecorder, *tokens.Identity) {
	t.Helper()
	var seen *tokens.Identity
	handler := guard.Require(need)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		identity, ok := tokens.FromContext(r.Context())
		if !ok {
			t.Error("the handler has no identity")
		}
		seen = &identity
	}))
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	for name, values := range header {
		for _, value := range values {
			request.Header.Add(name, value)
		}
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder, seen
}

// call is serve for both kinds of gRPC calls, which must agree.
func call(t *testing.T, guard *tokens.Guard, rules tokens.MethodRules, header http.Header) (*tokens.Identity, error) {
	t.Helper()
	md := metadata.MD{}
	for name, values := range header {
		md.Append(name, values...)
	}
	ctx := metadata.NewIncomingContext(t.Context(), md)
	var seen *tokens.Identity
	note := func(ctx context.Context) {
		if identity, ok := tokens.FromContext(ctx); ok {
			seen = &identity
		}
	}
	_, err := guard.UnaryInterceptor(rules)(ctx, nil, &grpc.UnaryServerInfo{FullMethod: method},
		func(ctx context.Context, _ any) (any, error) {
			note(ctx)
			return nil, nil
		})
	unary := seen
	seen = nil
	streamErr := guard.StreamInterceptor(rules)(nil, fakeStream{ctx: ctx}, &grpc.StreamServerInfo{FullMethod: method},
		func(_ any, stream grpc.ServerStream) error {
			note(stream.Context())
			return nil
		})
	if status.Convert(err).String() != status.Convert(streamErr).String() || (unary == nil) != (seen == nil) {
		t.Errorf("a unary call ends with %v, a stream with %v", err, streamErr)
	}
	return unary, err
}

type fakeStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s fakeStream) Context() context.Context { return s.ctx }

func ruleOf(need tokens.Requirements) tokens.MethodRules {
	return tokens.MethodRules{Need: map[string]tokens.Requirements{method: need}}
}

func bearer(token string) http.Header {
	return http.Header{"Authorization": {"Bearer " + token}}
}
