package tokens

import (
	"context"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc"

	"tokens.wemasy.com/client/go/tokensv1"
)

// validateTimeout bounds a Validate, all attempts together.
const validateTimeout = 2 * time.Second

// Client is the [Validator] that asks the service, once for every token. Callers
// need the role "validator".
//
// Safe for concurrent use.
type Client struct {
	// Timeout is how long a Validate may take, all attempts together: 2 s if it is
	// zero. 0.2 s is plenty where the service is near. Not to be changed once the
	// client is in use.
	Timeout time.Duration

	service tokensv1.AuthServiceClient
}

// NewClient returns a client that asks over conn, which [Dial] or [DialTLS]
// opened and which must stay open. Give it a conn of its own: one that waits for
// many revocations has no room for it.
func NewClient(conn grpc.ClientConnInterface) *Client {
	return &Client{service: tokensv1.NewAuthServiceClient(conn)}
}

// Validate implements [Validator] by AuthService.Validate. Errors are those of
// gRPC: DeadlineExceeded after the client's Timeout or ctx's deadline,
// Unavailable if no server can vouch for an answer or none can be reached,
// Unauthenticated or PermissionDenied if this caller lacks the role.
func (c *Client) Validate(ctx context.Context, token string, need Requirements) (Answer, error) {
	// The service would say so too, but what is not UTF-8 cannot be sent.
	if !utf8.ValidString(token) {
		return Answer{Verdict: tokensv1.Verdict_VERDICT_MALFORMED}, nil
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = validateTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	reply, err := c.service.Validate(ctx, &tokensv1.ValidateRequest{
		Token:           token,
		RequiredScopes:  need.Scopes,
		ExpectedProject: need.Project,
	})
	if err != nil {
		return Answer{}, err
	}
	answer := Answer{
		Verdict: reply.GetVerdict(),
		Identity: Identity{
			Name:     reply.GetToken(),
			Project:  reply.GetProject(),
			Creator:  reply.GetCreator(),
			Scopes:   reply.GetScopes(),
			Metadata: reply.GetMetadata(),
		},
	}
	if expires := reply.GetExpireTime(); expires != nil {
		answer.Identity.ExpireTime = expires.AsTime()
	}
	return answer, nil
}
