package tokens_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	tokens "tokens.wemasy.com/client/go"
	"tokens.wemasy.com/client/go/tokensv1"
)

// startTLS serves with mutual TLS: with a certificate of the one authority, to
// callers with certificates of the other. It names the caller's identity as the
// token's creator.
func startTLS(t *testing.T, servers, callers *authority, opts ...grpc.ServerOption) string {
	t.Helper()
	files := servers.write(t, t.TempDir(), "server")
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(callers.certificate)
	service := &fakeService{
		validate: func(ctx context.Context, _ *tokensv1.ValidateRequest) (*tokensv1.ValidateResponse, error) {
			caller, _ := peer.FromContext(ctx)
			certificates := caller.AuthInfo.(credentials.TLSInfo).State.PeerCertificates
			return &tokensv1.ValidateResponse{Creator: certificates[0].URIs[0].String()}, nil
		},
	}
	return start(t, service, append(opts, grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{pair},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    clients,
	})))...)
}

// caller returns who the server takes us for.
func caller(t *testing.T, conn *grpc.ClientConn) (string, error) {
	t.Helper()
	answer, err := tokens.NewClient(conn).Validate(t.Context(), "abc", tokens.Requirements{})
	return answer.Identity.Creator, err
}

func dialTLS(t *testing.T, target string, files tokens.TLSFiles) *grpc.ClientConn {
	t.Helper()
	conn, err := tokens.DialTLS(target, files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestServerKnowsTheCallerByItsCertificate(t *testing.T) {
	a := newAuthority(t)
	conn := dialTLS(t, startTLS(t, a, a), a.write(t, t.TempDir(), "gateway"))
	if got, err := caller(t, conn); err != nil || got != "spiffe://test/gateway" {
		t.Errorf("%q, %v, want spiffe://test/gateway", got, err)
	}
}

func TestRenewedCertificateIsUsed(t *testing.T) {
	a := newAuthority(t)
	files := a.write(t, t.TempDir(), "old")
	// As the service does, but oftener, this one asks its callers to connect anew.
	conn := dialTLS(t, startTLS(t, a, a, grpc.KeepaliveParams(keepalive.ServerParameters{
		MaxConnectionAge: 50 * time.Millisecond,
	})), files)
	if got, err := caller(t, conn); err != nil || got != "spiffe://test/old" {
		t.Fatalf("%q, %v, want spiffe://test/old", got, err)
	}
	a.write(t, filepath.Dir(files.Cert), "new")
	var got string
	var err error
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if got, err = caller(t, conn); got == "spiffe://test/new" {
			return
		}
	}
	t.Errorf("%q, %v, want spiffe://test/new", got, err)
}

func TestServerOfAnotherAuthorityIsRefused(t *testing.T) {
	ours, other := newAuthority(t), newAuthority(t)
	conn := dialTLS(t, startTLS(t, other, ours), ours.write(t, t.TempDir(), "gateway"))
	if _, err := caller(t, conn); status.Code(err) != codes.Unavailable {
		t.Errorf("%v, want Unavailable", err)
	}
}

func TestUnfitFilesAreAnError(t *testing.T) {
	folder := t.TempDir()
	good := newAuthority(t).write(t, folder, "gateway")
	empty := filepath.Join(folder, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string]tokens.TLSFiles{
		"None":    {},
		"NoCA":    {CA: filepath.Join(folder, "absent"), Cert: good.Cert, Key: good.Key},
		"EmptyCA": {CA: empty, Cert: good.Cert, Key: good.Key},
		"NoCert":  {CA: good.CA, Key: good.Key},
		"NoKey":   {CA: good.CA, Cert: good.Cert},
		"Swapped": {CA: good.CA, Cert: good.Key, Key: good.Cert},
	} {
		t.Run(name, func(t *testing.T) {
			if conn, err := tokens.DialTLS("127.0.0.1:1", files); err == nil {
				_ = conn.Close()
				t.Error("no error")
			}
		})
	}
}
