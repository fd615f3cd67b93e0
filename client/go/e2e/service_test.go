// Package e2e tests the client against a server: the one at
// $WEMASY_TOKENS_TARGET, in plaintext, whose callers have all roles.
package e2e

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	tokens "tokens.wemasy.com/client/go"
	"tokens.wemasy.com/client/go/internal/contract"
	"tokens.wemasy.com/client/go/tokensv1"
)

var target = os.Getenv("WEMASY_TOKENS_TARGET")

func TestMain(m *testing.M) {
	if target == "" {
		fmt.Fprintln(os.Stderr, "WEMASY_TOKENS_TARGET is not set: want host:port of a server "+
			"on this machine, in plaintext, whose callers have all roles")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestClientKeepsTheContract(t *testing.T) {
	contract.Test(t, newService(t))
}

// service is the server under test: a validator, and who issues its tokens.
type service struct {
	*tokens.Client
	manager tokensv1.TokenServiceClient
	names   map[string]string // of the tokens that were issued
}

// newService connects to the server.
func newService(t *testing.T) *service {
	t.Helper()
	return &service{
		Client:  newClient(t, target),
		manager: tokensv1.NewTokenServiceClient(dial(t, target)),
		names:   make(map[string]string),
	}
}

// newClient returns a client with time enough for a busy machine.
func newClient(t *testing.T, target string) *tokens.Client {
	t.Helper()
	client := tokens.NewClient(dial(t, target))
	client.Timeout = 20 * time.Second
	return client
}

func dial(t *testing.T, target string) *grpc.ClientConn {
	t.Helper()
	conn, err := tokens.Dial(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Issue creates a token, and revokes it when the test ends.
func (s *service) Issue(t *testing.T, identity tokens.Identity) (token, name string) {
	t.Helper()
	request := &tokensv1.CreateTokenRequest{
		Parent: identity.Project,
		Token: &tokensv1.Token{
			DisplayName: t.Name(),
			Scopes:      identity.Scopes,
			Metadata:    identity.Metadata,
		},
		Actor:     identity.Creator,
		RequestId: newRequestID(),
	}
	if !identity.ExpireTime.IsZero() {
		request.Token.ExpireTime = timestamppb.New(identity.ExpireTime)
	}
	created, err := s.manager.CreateToken(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	token, name = created.GetSecret(), created.GetToken().GetName()
	s.names[token] = name
	t.Cleanup(func() {
		if err := s.revoke(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
	return token, name
}

// Revoke revokes a token that Issue returned.
func (s *service) Revoke(t *testing.T, token string) {
	t.Helper()
	if err := s.revoke(t.Context(), s.names[token]); err != nil {
		t.Fatal(err)
	}
}

func (s *service) revoke(ctx context.Context, name string) error {
	_, err := s.manager.RevokeToken(ctx, &tokensv1.RevokeTokenRequest{Name: name, Actor: "e2e"})
	return err
}

// newRequestID returns a random UUID.
func newRequestID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
