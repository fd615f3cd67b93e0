package tokens

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed" // service-config.json
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/local"
	"google.golang.org/grpc/keepalive"

	"tokens.wemasy.com/client/go/tokensv1"
)

// serviceConfig is deploy/service-config.json: round robin, and retries.
//
//go:embed service-config.json
var serviceConfig string

// changeTimeout bounds a call of TokenService whose caller set no deadline. A
// revocation may have to wait for the length of the servers' lease, 30 s.
const changeTimeout = 40 * time.Second

// Dial opens a channel to the servers of target, "host:port", in plaintext, which
// is for this machine only: calls fail with Unavailable unless the server is on a
// loopback address or a Unix socket ("unix:PATH").
//
// It does not wait for a connection. It fails if target or opts are malformed.
// opts are added to the package's own, and win over them.
//
// Calls are retried as deploy/service-config.json says. It repeats what may have
// been done already, so send a request_id with every CreateToken and RotateToken.
// Calls without a deadline get one: 2 s for AuthService, 40 s for TokenService.
func Dial(target string, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	// A proxy on this machine would pass for the server, and may be one to others.
	ours := []grpc.DialOption{grpc.WithNoProxy()}
	return dial(target, local.NewCredentials(), append(ours, opts...))
}

// TLSFiles names the PEM files of mutual TLS.
type TLSFiles struct {
	// CA has the certificates that sign those of servers. Read once.
	CA string
	// Cert and Key are the caller's own. They are read again for each connection,
	// so that renewed ones are used without a restart.
	Cert, Key string
}

// DialTLS is [Dial] with mutual TLS, for servers on any machine. It also fails if
// one of the files cannot be read or is not what it should be.
func DialTLS(target string, files TLSFiles, opts ...grpc.DialOption) (*grpc.ClientConn, error) {
	config, err := files.config()
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return dial(target, credentials.NewTLS(config), opts)
}

func (f TLSFiles) config() (*tls.Config, error) {
	ca, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s has no certificates", f.CA)
	}
	if _, err := tls.LoadX509KeyPair(f.Cert, f.Key); err != nil {
		return nil, err
	}
	return &tls.Config{
		RootCAs: roots,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
			return &pair, err
		},
	}, nil
}

func dial(target string, creds credentials.TransportCredentials, opts []grpc.DialOption) (*grpc.ClientConn, error) {
	// gRPC's default backs off for up to two minutes, in which a server that is
	// back would not be used.
	reconnect := backoff.DefaultConfig
	reconnect.BaseDelay = 100 * time.Millisecond
	reconnect.MaxDelay = 2 * time.Second
	ours := []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithChainUnaryInterceptor(withDeadline),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           reconnect,
			MinConnectTimeout: 5 * time.Second,
		}),
		// The servers permit a ping every 10 s, also without calls.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time:                30 * time.Second,
			Timeout:             5 * time.Second,
			PermitWithoutStream: true,
		}),
	}
	conn, err := grpc.NewClient(target, append(ours, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	conn.Connect()
	return conn, nil
}

// withDeadline gives a deadline to calls that have none. A timeout of the service
// config would not do, as it also cuts short what the caller gives more time.
func withDeadline(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn,
	invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if _, ok := ctx.Deadline(); !ok {
		timeout := changeTimeout
		if strings.HasPrefix(method, "/"+tokensv1.AuthService_ServiceDesc.ServiceName+"/") {
			timeout = validateTimeout
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	return invoke(ctx, method, req, reply, cc, opts...)
}
