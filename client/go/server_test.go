package tokens_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"

	tokens "tokens.wemasy.com/client/go"
	"tokens.wemasy.com/client/go/tokensv1"
)

// fakeService serves what a test needs of the token service.
type fakeService struct {
	tokensv1.UnimplementedAuthServiceServer
	tokensv1.UnimplementedTokenServiceServer
	validate func(context.Context, *tokensv1.ValidateRequest) (*tokensv1.ValidateResponse, error)
	getToken func(context.Context) (*tokensv1.GetTokenResponse, error)
}

func (s *fakeService) Validate(ctx context.Context, r *tokensv1.ValidateRequest) (*tokensv1.ValidateResponse, error) {
	return s.validate(ctx, r)
}

func (s *fakeService) GetToken(ctx context.Context, _ *tokensv1.GetTokenRequest) (*tokensv1.GetTokenResponse, error) {
	return s.getToken(ctx)
}

// start serves service on a port of loopback until the test ends, and returns the
// address.
func start(t *testing.T, service *fakeService, opts ...grpc.ServerOption) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(opts...)
	tokensv1.RegisterAuthServiceServer(server, service)
	tokensv1.RegisterTokenServiceServer(server, service)
	go func() {
		if err := server.Serve(listener); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

// dial is tokens.Dial, closed when the test ends.
func dial(t *testing.T, target string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := tokens.Dial(target, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// authority is a private certificate authority.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	a.certificate, a.key = a.sign(t, &x509.Certificate{
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	})
	return a
}

// sign makes a certificate of template, signed by a, or by itself if a has none.
func (a *authority) sign(t *testing.T, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.Subject = pkix.Name{CommonName: "test"}
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(time.Hour)
	signer, signerKey := a.certificate, a.key
	if signer == nil {
		signer, signerKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer, &key.PublicKey, signerKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// write issues a certificate for loopback with the identity spiffe://test/name,
// and writes it, its key and the authority's certificate to files in folder.
func (a *authority) write(t *testing.T, folder, name string) tokens.TLSFiles {
	t.Helper()
	certificate, key := a.sign(t, &x509.Certificate{
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		URIs:        []*url.URL{{Scheme: "spiffe", Host: "test", Path: name}},
	})
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	files := tokens.TLSFiles{
		CA:   filepath.Join(folder, "ca.crt"),
		Cert: filepath.Join(folder, "own.crt"),
		Key:  filepath.Join(folder, "own.key"),
	}
	for path, block := range map[string]*pem.Block{
		files.CA:   {Type: "CERTIFICATE", Bytes: a.certificate.Raw},
		files.Cert: {Type: "CERTIFICATE", Bytes: certificate.Raw},
		files.Key:  {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}
