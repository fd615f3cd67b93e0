package tokens

import (
	"context"
	"log/slog"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// MethodRules says what the methods of a gRPC server need of a token. Methods are
// full names, "/package.Service/Method". One that is in neither field is refused
// with Internal, so that none is open by oversight.
type MethodRules struct {
	// Need are the methods that need a token, and what they need of it.
	Need map[string]Requirements
	// Open are the methods that need none, such as health checks.
	Open []string
}

// UnaryInterceptor returns an interceptor that lets calls pass whose token meets
// rules, with the token's [Identity] in their context, and refuses others:
//
//   - Unauthenticated without a token, or with one that is not valid;
//   - InvalidArgument with more than one, or with what cannot be one;
//   - PermissionDenied with a token of another project, or without a required
//     scope;
//   - Unavailable while nobody can decide;
//   - Internal if the method's requirements are missing or malformed.
//
// It panics if a method needs a token, and the guard has no Validator.
func (g *Guard) UnaryInterceptor(rules MethodRules) grpc.UnaryServerInterceptor {
	methods := g.newMethods(rules)
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		ctx, err := methods.admit(ctx, info.FullMethod)
		if err != nil {
			return nil, err
		}
		return handle(ctx, req)
	}
}

// StreamInterceptor is UnaryInterceptor for streams. The token is checked once,
// when the stream starts: a stream goes on after its token was revoked, so limit
// its age.
func (g *Guard) StreamInterceptor(rules MethodRules) grpc.StreamServerInterceptor {
	methods := g.newMethods(rules)
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		ctx, err := methods.admit(stream.Context(), info.FullMethod)
		if err != nil {
			return err
		}
		return handle(srv, &admittedStream{stream, ctx})
	}
}

// admittedStream is a stream with an identity in its context.
type admittedStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *admittedStream) Context() context.Context { return s.ctx }

// methods are MethodRules, prepared.
type methods struct {
	guard  *Guard
	checks map[string]*check
	open   []string
}

func (g *Guard) newMethods(rules MethodRules) *methods {
	m := &methods{
		guard:  g,
		checks: make(map[string]*check, len(rules.Need)),
		open:   slices.Clone(rules.Open),
	}
	for name, need := range rules.Need {
		m.checks[name] = g.newCheck(need)
	}
	return m
}

// admit returns the context for the handler of a call, or the error to end it
// with.
func (m *methods) admit(ctx context.Context, method string) (context.Context, error) {
	check, ok := m.checks[method]
	if !ok {
		if slices.Contains(m.open, method) {
			return ctx, nil
		}
		m.guard.log(ctx, slog.LevelError, "no rule says what a method needs of an API token",
			slog.String("method", method))
		return nil, misconfigured.err()
	}
	headers, _ := metadata.FromIncomingContext(ctx)
	identity, refused := check.run(ctx, headers.Get)
	if refused != nil {
		return nil, refused.err()
	}
	return NewContext(ctx, identity), nil
}
