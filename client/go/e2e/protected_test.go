package e2e

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	tokens "tokens.wemasy.com/client/go"
	"tokens.wemasy.com/client/go/tokensv1"
)

// protected is a guard in front of an HTTP endpoint, a unary method and a stream,
// each of which answers with the name of the caller's token. The methods are
// borrowed from tokensv1, whose stubs are at hand.
type protected struct {
	tokensv1.UnimplementedTokenServiceServer
	tokensv1.UnimplementedAuthServiceServer
	url  string
	conn *grpc.ClientConn
}

func nameOf(ctx context.Context) string {
	identity, _ := tokens.FromContext(ctx)
	return identity.Name
}

func (*protected) GetToken(ctx context.Context, _ *tokensv1.GetTokenRequest) (*tokensv1.GetTokenResponse, error) {
	return &tokensv1.GetTokenResponse{Token: &tokensv1.Token{Name: nameOf(ctx)}}, nil
}

func (*protected) Watch(stream tokensv1.AuthService_WatchServer) error {
	return stream.Send(&tokensv1.WatchResponse{Event: &tokensv1.WatchResponse_Hello{
		Hello: &tokensv1.WatchHello{Incarnation: nameOf(stream.Context())},
	}})
}

// protect serves until the test ends.
func protect(t *testing.T, validator tokens.Validator, need tokens.Requirements) *protected {
	t.Helper()
	p := &protected{}
	guard := &tokens.Guard{
		Validator:    validator,
		TokenHeaders: []string{"X-Api-Key"},
		Logger:       slog.New(slog.DiscardHandler),
	}
	web := httptest.NewServer(guard.Require(need)(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, nameOf(r.Context()))
		})))
	t.Cleanup(web.Close)
	p.url = web.URL

	rules := tokens.MethodRules{Need: map[string]tokens.Requirements{
		tokensv1.TokenService_GetToken_FullMethodName: need,
		tokensv1.AuthService_Watch_FullMethodName:     need,
	}}
	server := grpc.NewServer(
		grpc.UnaryInterceptor(guard.UnaryInterceptor(rules)),
		grpc.StreamInterceptor(guard.StreamInterceptor(rules)))
	tokensv1.RegisterTokenServiceServer(server, p)
	tokensv1.RegisterAuthServiceServer(server, p)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if err := server.Serve(listener); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(server.Stop)
	p.conn, err = grpc.NewClient(listener.Addr().String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.conn.Close() })
	return p
}

// outcome is what a caller gets over HTTP and over gRPC.
type outcome struct {
	httpStatus int
	code       codes.Code
}

var (
	passed      = outcome{http.StatusOK, codes.OK}
	badRequest  = outcome{http.StatusBadRequest, codes.InvalidArgument}
	noToken     = outcome{http.StatusUnauthorized, codes.Unauthenticated}
	forbidden   = outcome{http.StatusForbidden, codes.PermissionDenied}
	unavailable = outcome{http.StatusServiceUnavailable, codes.Unavailable}
	ourFault    = outcome{http.StatusInternalServerError, codes.Internal}
)

// expect presents header in all three ways. name is that of the token, if it
// shall pass.
func (p *protected) expect(t *testing.T, header http.Header, want outcome, name string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != want.httpStatus {
		t.Errorf("over HTTP %d, want %d", response.StatusCode, want.httpStatus)
	}
	if want == passed && string(body) != name {
		t.Errorf("over HTTP the token is %q, want %q", body, name)
	}

	md := metadata.MD{}
	for key, values := range header {
		md.Append(key, values...)
	}
	ctx := metadata.NewOutgoingContext(t.Context(), md)
	got, err := tokensv1.NewTokenServiceClient(p.conn).GetToken(ctx, &tokensv1.GetTokenRequest{})
	if status.Code(err) != want.code || got.GetToken().GetName() != name {
		t.Errorf("unary call: %q, %v, want %q, %v", got.GetToken().GetName(), err, name, want.code)
	}
	stream, err := tokensv1.NewAuthServiceClient(p.conn).Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	first, err := stream.Recv()
	if status.Code(err) != want.code || first.GetHello().GetIncarnation() != name {
		t.Errorf("stream: %q, %v, want %q, %v", first.GetHello().GetIncarnation(), err, name, want.code)
	}
}
