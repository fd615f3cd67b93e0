// Package tokenstest has a Validator for tests, so that they need no server.
//
//	validator := &tokenstest.Validator{}
//	validator.Add("alice", tokens.Identity{
//		Name: "projects/demo/tokens/alice", Project: "projects/demo",
//		Scopes: []string{"pages:read"},
//	})
//	guard := &tokens.Guard{Validator: validator}
package tokenstest

import (
	"context"
	"crypto/sha256"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tokens "tokens.wemasy.com/client/go"
	"tokens.wemasy.com/client/go/tokensv1"
)

// Validator is a [tokens.Validator] that knows the tokens it was told, and decides
// on them as the service does. Any text can be a token; one that it was not told
// is UNKNOWN, never MALFORMED.
//
// The zero value is ready, and knows none. Safe for concurrent use.
type Validator struct {
	mu          sync.Mutex
	unavailable bool
	// By digest, so that printing a Validator shows no token.
	known map[[sha256.Size]byte]entry
}

type entry struct {
	identity tokens.Identity
	revoked  bool
}

var _ tokens.Validator = (*Validator)(nil)

// Add makes token valid, for whoever identity says. In the place of one that was
// added before, it is not revoked any more.
func (v *Validator) Add(token string, identity tokens.Identity) {
	identity = clone(identity)
	slices.Sort(identity.Scopes)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.known == nil {
		v.known = make(map[[sha256.Size]byte]entry)
	}
	v.known[sha256.Sum256([]byte(token))] = entry{identity: identity}
}

// Revoke makes token REVOKED. It panics if token was not added.
func (v *Validator) Revoke(token string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	digest := sha256.Sum256([]byte(token))
	known, ok := v.known[digest]
	if !ok {
		panic("tokenstest: a token was revoked that was not added")
	}
	known.revoked = true
	v.known[digest] = known
}

// SetUnavailable says whether Validate fails from now on with Unavailable, as it
// does while no server can be reached.
func (v *Validator) SetUnavailable(unavailable bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.unavailable = unavailable
}

// Validate implements [tokens.Validator]. Errors: Unavailable if told so,
// InvalidArgument if need is malformed, and those of ctx if it has ended.
func (v *Validator) Validate(ctx context.Context, token string, need tokens.Requirements) (tokens.Answer, error) {
	if err := ctx.Err(); err != nil {
		return tokens.Answer{}, status.FromContextError(err).Err()
	}
	if !wellFormed(need) {
		return tokens.Answer{}, status.Error(codes.InvalidArgument, "malformed requirements")
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.unavailable {
		return tokens.Answer{}, status.Error(codes.Unavailable, "told to be unavailable")
	}
	known, ok := v.known[sha256.Sum256([]byte(token))]
	if !ok {
		return tokens.Answer{Verdict: tokensv1.Verdict_VERDICT_UNKNOWN}, nil
	}
	verdict := decide(known, need)
	if verdict != tokensv1.Verdict_VERDICT_VALID {
		return tokens.Answer{Verdict: verdict, Identity: tokens.Identity{Name: known.identity.Name}}, nil
	}
	return tokens.Answer{Verdict: verdict, Identity: clone(known.identity)}, nil
}

// decide makes the checks in the service's order.
func decide(known entry, need tokens.Requirements) tokensv1.Verdict {
	expires := known.identity.ExpireTime
	switch {
	case known.revoked:
		return tokensv1.Verdict_VERDICT_REVOKED
	case !expires.IsZero() && !time.Now().Before(expires):
		return tokensv1.Verdict_VERDICT_EXPIRED
	case need.Project != "" && need.Project != known.identity.Project:
		return tokensv1.Verdict_VERDICT_WRONG_PROJECT
	}
	for _, scope := range need.Scopes {
		if !slices.Contains(known.identity.Scopes, scope) {
			return tokensv1.Verdict_VERDICT_INSUFFICIENT_SCOPE
		}
	}
	return tokensv1.Verdict_VERDICT_VALID
}

const maxScopes = 64

var (
	scopeForm   = regexp.MustCompile(`^[a-z][a-z0-9_.:/-]{0,63}$`)
	projectForm = regexp.MustCompile(`^projects/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

func wellFormed(need tokens.Requirements) bool {
	malformed := func(scope string) bool { return !scopeForm.MatchString(scope) }
	return len(need.Scopes) <= maxScopes && !slices.ContainsFunc(need.Scopes, malformed) &&
		(need.Project == "" || projectForm.MatchString(need.Project))
}

func clone(identity tokens.Identity) tokens.Identity {
	identity.Scopes = slices.Clone(identity.Scopes)
	identity.Metadata = maps.Clone(identity.Metadata)
	return identity
}
