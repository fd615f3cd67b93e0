package tokens_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tokens "tokens.wemasy.com/client/go"
	"tokens.wemasy.com/client/go/tokensv1"
)

// proxied counts the connections to the proxy of the environment.
var proxied atomic.Int32

func TestMain(m *testing.M) {
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	// Here, as it is read only once.
	os.Setenv("HTTPS_PROXY", "http://"+proxy.Addr().String())
	go func() {
		for {
			conn, err := proxy.Accept()
			if err != nil {
				panic(err)
			}
			proxied.Add(1)
			_ = conn.Close()
		}
	}()
	m.Run()
}

func TestCallsAreRetried(t *testing.T) {
	const attempts = 4 // of the service config
	for _, c := range []struct {
		name     string
		failure  codes.Code
		failures int
		want     codes.Code
		calls    int
	}{
		{"Unavailable", codes.Unavailable, attempts - 1, codes.OK, attempts},
		{"Cancelled", codes.Canceled, attempts - 1, codes.OK, attempts},
		{"TooOften", codes.Unavailable, attempts, codes.Unavailable, attempts},
		{"AnotherCode", codes.PermissionDenied, 1, codes.PermissionDenied, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls := 0
			fail := func() error {
				if calls++; calls <= c.failures {
					return status.Error(c.failure, "told to fail")
				}
				return nil
			}
			conn := dial(t, start(t, &fakeService{
				validate: func(context.Context, *tokensv1.ValidateRequest) (*tokensv1.ValidateResponse, error) {
					return &tokensv1.ValidateResponse{}, fail()
				},
				getToken: func(context.Context) (*tokensv1.GetTokenResponse, error) {
					return &tokensv1.GetTokenResponse{}, fail()
				},
			}))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := tokensv1.NewAuthServiceClient(conn).Validate(ctx, &tokensv1.ValidateRequest{})
			if status.Code(err) != c.want || calls != c.calls {
				t.Errorf("Validate: %v after %d calls, want %v after %d", err, calls, c.want, c.calls)
			}
			calls = 0
			_, err = tokensv1.NewTokenServiceClient(conn).GetToken(ctx, &tokensv1.GetTokenRequest{})
			if status.Code(err) != c.want || calls != c.calls {
				t.Errorf("GetToken: %v after %d calls, want %v after %d", err, calls, c.want, c.calls)
			}
		})
	}
}

func TestCallsHaveADeadline(t *testing.T) {
	var left time.Duration
	note := func(ctx context.Context) {
		left = 0
		if end, ok := ctx.Deadline(); ok {
			left = time.Until(end)
		}
	}
	conn := dial(t, start(t, &fakeService{
		validate: func(ctx context.Context, _ *tokensv1.ValidateRequest) (*tokensv1.ValidateResponse, error) {
			note(ctx)
			return &tokensv1.ValidateResponse{}, nil
		},
		getToken: func(ctx context.Context) (*tokensv1.GetTokenResponse, error) {
			note(ctx)
			return &tokensv1.GetTokenResponse{}, nil
		},
	}))
	stub := func(ctx context.Context) error {
		_, err := tokensv1.NewAuthServiceClient(conn).Validate(ctx, &tokensv1.ValidateRequest{})
		return err
	}
	change := func(ctx context.Context) error {
		_, err := tokensv1.NewTokenServiceClient(conn).GetToken(ctx, &tokensv1.GetTokenRequest{})
		return err
	}
	client := func(timeout time.Duration) func(context.Context) error {
		client := tokens.NewClient(conn)
		client.Timeout = timeout
		return func(ctx context.Context) error {
			_, err := client.Validate(ctx, "abc", tokens.Requirements{})
			return err
		}
	}
	for _, c := range []struct {
		name    string
		call    func(context.Context) error
		callers time.Duration
		want    time.Duration
	}{
		{"AuthService", stub, 0, 2 * time.Second},
		{"AuthServiceWithOne", stub, time.Minute, time.Minute},
		{"TokenService", change, 0, 40 * time.Second},
		{"TokenServiceWithOne", change, time.Minute, time.Minute},
		{"Client", client(0), 0, 2 * time.Second},
		{"ClientBoundsTheCallers", client(0), time.Minute, 2 * time.Second},
		{"ClientWithTimeout", client(20 * time.Second), time.Minute, 20 * time.Second},
		{"ClientKeepsAShorterOne", client(20 * time.Second), 10 * time.Second, 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := t.Context()
			if c.callers != 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.callers)
				defer cancel()
			}
			if err := c.call(ctx); err != nil {
				t.Fatal(err)
			}
			if left > c.want || left < c.want-2*time.Second || left == 0 {
				t.Errorf("%v until the deadline, want %v", left, c.want)
			}
		})
	}
}

// remoteConn says that its other end is another machine.
type remoteConn struct{ net.Conn }

func (remoteConn) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 7443}
}

func TestNoTokenLeavesTheMachineInPlaintext(t *testing.T) {
	address := start(t, &fakeService{
		validate: func(context.Context, *tokensv1.ValidateRequest) (*tokensv1.ValidateResponse, error) {
			t.Error("a token was sent in plaintext")
			return &tokensv1.ValidateResponse{}, nil
		},
	})
	conn := dial(t, "passthrough:///tokens.example.com:7443",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
			return remoteConn{conn}, err
		}))
	_, err := tokens.NewClient(conn).Validate(t.Context(), "abc", tokens.Requirements{})
	if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "non-local") {
		t.Errorf("%v, want Unavailable, as the address is not local", err)
	}
}

func TestNoTokenLeavesTheMachineThroughAProxyOnIt(t *testing.T) {
	conn := dial(t, "tokens.invalid:7443")
	_, err := tokens.NewClient(conn).Validate(t.Context(), "abc", tokens.Requirements{})
	if err == nil || proxied.Load() != 0 {
		t.Errorf("%v after %d connections to a proxy, want an error after none", err, proxied.Load())
	}
}

func TestServerThatIsBackIsFoundSoon(t *testing.T) {
	attempts := make(chan struct{}, 100)
	dial(t, "passthrough:///127.0.0.1:1",
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			attempts <- struct{}{}
			return nil, errors.New("away")
		}))
	// gRPC's own backoff makes three in this time, at most.
	end := time.After(3 * time.Second)
	for n := range 4 {
		select {
		case <-attempts:
		case <-end:
			t.Fatalf("%d attempts to connect in 3 s, want at least 4", n)
		}
	}
}

func TestMalformedOptionIsAnError(t *testing.T) {
	if conn, err := tokens.Dial("127.0.0.1:1", grpc.WithDefaultServiceConfig("{")); err == nil {
		_ = conn.Close()
		t.Error("no error")
	}
}
