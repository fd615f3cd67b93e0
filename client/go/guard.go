package tokens

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tokens.wemasy.com/client/go/tokensv1"
)

// Guard lets requests pass that present a valid token, and no others. The token
// is that of the header "Authorization: Bearer", or of one of TokenHeaders; never
// of a query or a body. It stays in the request's headers: whoever sends these on
// takes it out.
//
// Set the fields before the first use, and do not change them afterwards. Then a
// Guard is safe for concurrent use.
type Guard struct {
	// Validator decides on tokens. Required.
	Validator Validator
	// TokenHeaders are other headers that hold a token and nothing else, such as
	// "X-Api-Key". A request with tokens in two headers is refused.
	TokenHeaders []string
	// Logger is told why requests are refused, and never a token: at level Error
	// of faults of the program, Warn when nobody could decide, Debug of every
	// other refused token. slog.Default() if nil.
	Logger *slog.Logger
}

// Require returns a middleware that lets requests pass whose token meets need,
// with the token's [Identity] in their context, and refuses others:
//
//   - 401 without a token, or with one that is not valid (RFC 6750);
//   - 400 with more than one, or with what cannot be one;
//   - 403 with a token of another project, or without a required scope;
//   - 503 while nobody can decide, with Retry-After;
//   - 500 if need is malformed.
//
// It panics if the guard has no Validator. A response that is under way when its
// token is revoked is not ended: limit the age of long ones.
func (g *Guard) Require(need Requirements) func(http.Handler) http.Handler {
	check := g.newCheck(need)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			identity, refused := check.run(r.Context(), r.Header.Values)
			if refused != nil {
				refused.write(w)
				return
			}
			next.ServeHTTP(w, r.WithContext(NewContext(r.Context(), identity)))
		})
	}
}

// check decides on the requests of one route.
type check struct {
	guard       *Guard
	headers     tokenHeaders
	need        Requirements
	lacksAScope refusal
}

func (g *Guard) newCheck(need Requirements) *check {
	if g.Validator == nil {
		panic("tokens: a Guard needs a Validator")
	}
	return &check{
		guard:       g,
		headers:     newTokenHeaders(g.TokenHeaders),
		need:        need,
		lacksAScope: insufficientScope(need.Scopes),
	}
}

func (g *Guard) log(ctx context.Context, level slog.Level, message string, attributes ...slog.Attr) {
	logger := g.Logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.LogAttrs(ctx, level, message, attributes...)
}

// run returns whose token the request presents, or why it may not pass.
func (c *check) run(ctx context.Context, headers func(name string) []string) (Identity, *refusal) {
	token, refused := c.headers.read(headers)
	if refused != nil {
		return Identity{}, refused
	}
	answer, err := c.guard.Validator.Validate(ctx, token, c.need)
	if err != nil {
		return Identity{}, c.failed(ctx, err)
	}
	switch answer.Verdict {
	case tokensv1.Verdict_VERDICT_VALID:
		return answer.Identity, nil
	case tokensv1.Verdict_VERDICT_WRONG_PROJECT:
		refused = &wrongProject
	case tokensv1.Verdict_VERDICT_INSUFFICIENT_SCOPE:
		refused = &c.lacksAScope
	default:
		refused = &invalidToken
	}
	c.guard.log(ctx, slog.LevelDebug, "API token refused",
		slog.String("verdict", answer.Verdict.String()),
		slog.String("token", answer.Identity.Name))
	return Identity{}, refused
}

// failed is the refusal when nobody could decide.
func (c *check) failed(ctx context.Context, err error) *refusal {
	if status.Code(err) == codes.InvalidArgument {
		c.guard.log(ctx, slog.LevelError, "a route requires what no API token can have",
			slog.Any("scopes", c.need.Scopes),
			slog.String("project", c.need.Project),
			slog.String("error", err.Error()))
		return &misconfigured
	}
	level := slog.LevelWarn
	if errors.Is(ctx.Err(), context.Canceled) { // the caller went away
		level = slog.LevelDebug
	}
	c.guard.log(ctx, level, "nobody could decide on an API token",
		slog.String("error", err.Error()))
	return &undecided
}
