package tokens

import (
	"context"
	"time"

	"tokens.wemasy.com/client/go/tokensv1"
)

// Validator decides whether presented tokens may be used. [Client] asks the
// service; package tokenstest has one for tests.
type Validator interface {
	// Validate decides on a token, which may be any bytes. A refusal is an
	// Answer and no error. An error means that nobody could say: the token must
	// be refused. Its gRPC status code is InvalidArgument if need is malformed.
	//
	// Must be safe for concurrent use. No error may contain the token.
	Validate(ctx context.Context, token string, need Requirements) (Answer, error)
}

// Requirements is what a route needs of a token. It is part of the program, and
// never taken from a request.
type Requirements struct {
	// Scopes are those that the token must all have; at most 64.
	Scopes []string
	// Project is the one that the token must be of, "projects/{project}"; any if
	// empty.
	Project string
}

// Answer is what is known of a presented token.
type Answer struct {
	// Verdict is the decision. Every one but VERDICT_VALID is a refusal.
	Verdict tokensv1.Verdict
	// Identity is complete with VERDICT_VALID. With a refusal it has at most the
	// Name, for a log, and is not for whoever presented the token.
	Identity Identity
}

// Identity says whose token it is.
type Identity struct {
	// Name is the token's resource name, "projects/{project}/tokens/{token}". It
	// is no secret.
	Name string
	// Project is the token's project, "projects/{project}".
	Project string
	// Creator is the platform's user id of whoever created the token.
	Creator string
	// Scopes are those of the token, sorted.
	Scopes []string
	// Metadata is what the token's owner attached to it.
	Metadata map[string]string
	// ExpireTime is from when on the token is refused; zero for never.
	ExpireTime time.Time
}

type identityKey struct{}

// NewContext returns a copy of ctx with identity in it, as a [Guard] gives it to
// handlers.
func NewContext(ctx context.Context, identity Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, identity)
}

// FromContext returns the identity of the token that the request or call was let
// in with, and whether there is one. Behind a [Guard] there always is, but for
// the open methods of a gRPC server. Its Scopes and Metadata are shared by all
// who ask: do not change them.
func FromContext(ctx context.Context) (identity Identity, ok bool) {
	identity, ok = ctx.Value(identityKey{}).(Identity)
	return identity, ok
}
