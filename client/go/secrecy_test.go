package tokens_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	tokens "tokens.wemasy.com/client/go"
	"tokens.wemasy.com/client/go/tokenstest"
	"tokens.wemasy.com/client/go/tokensv1"
)

const secret = "wmsy_kwoEaQxqGV4S3oUccpFeOf5Vafi37041P62J"

// printed is all that fmt and encoding/json make of values.
func printed(values ...any) string {
	var all strings.Builder
	for _, value := range values {
		fmt.Fprintf(&all, "%v %+v %#v %s %q %x %d\n", value, value, value, value, value, value, value)
		if text, err := json.Marshal(value); err == nil {
			all.Write(text)
		}
	}
	return all.String()
}

// shows says whether text has the secret in it, as it is or in hexadecimal.
func shows(text string) bool {
	return strings.Contains(text, secret) || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", secret))
}

func TestShowsFindsTheSecret(t *testing.T) {
	holder := struct{ token string }{secret}
	for _, text := range []string{printed(holder), printed(&holder), printed([]byte(secret)), fmt.Sprintf("%x", holder)} {
		if !shows(text) {
			t.Errorf("not found in %s", text)
		}
	}
}

func TestNoTypeShowsTheToken(t *testing.T) {
	validator := &tokenstest.Validator{}
	validator.Add(secret, tokens.Identity{Name: "projects/demo/tokens/t1"})
	guard := quiet(validator, "X-Api-Key")
	need := tokens.Requirements{Scopes: []string{"a:b"}}
	client := tokens.NewClient(dial(t, start(t, &fakeService{
		validate: func(context.Context, *tokensv1.ValidateRequest) (*tokensv1.ValidateResponse, error) {
			return nil, status.Error(codes.PermissionDenied, "no role")
		},
	})))
	answer, err := validator.Validate(t.Context(), secret, tokens.Requirements{})
	if err != nil {
		t.Fatal(err)
	}
	refused, err := validator.Validate(t.Context(), secret, need)
	if err != nil {
		t.Fatal(err)
	}
	_, failure := client.Validate(t.Context(), secret, need)
	_, notUTF8 := client.Validate(t.Context(), secret+"\xff", need)
	_, callError := call(t, guard, ruleOf(need), bearer(secret))
	response, _ := serve(t, guard, need, bearer(secret))
	ctx := tokens.NewContext(t.Context(), answer.Identity)

	if text := printed(validator, client, *client, guard, *guard, answer, refused, need, ruleOf(need),
		failure, notUTF8, callError, response, ctx, tokens.TLSFiles{}); shows(text) {
		t.Errorf("the token is in %s", text)
	}
}

func TestRefusalsAreLoggedWithoutTheToken(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer tokensv1.Verdict
		err    error
		level  slog.Level
		also   string
	}{
		{"Refused", tokensv1.Verdict_VERDICT_REVOKED, nil, slog.LevelDebug, "VERDICT_REVOKED token=projects/demo/tokens/t1"},
		{"Undecided", 0, errors.New("away"), slog.LevelWarn, "away"},
		{"Misconfigured", 0, status.Error(codes.InvalidArgument, "bad scope"), slog.LevelError, "bad scope"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			guard := quiet(always(c.answer, c.err))
			guard.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			serve(t, guard, tokens.Requirements{Scopes: []string{"a:b"}}, bearer(secret))
			text := log.String()
			if !strings.Contains(text, "level="+c.level.String()) || !strings.Contains(text, c.also) {
				t.Errorf("%q, want level %v and %q", text, c.level, c.also)
			}
			if shows(text) {
				t.Errorf("the token is in %q", text)
			}
		})
	}
}

func TestOnlyCallersWhoGoAwayAreNoWarning(t *testing.T) {
	for _, c := range []struct {
		name  string
		end   func(context.Context) (context.Context, context.CancelFunc)
		warns bool
	}{
		{"GoneAway", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		}, false},
		{"TooLate", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 0)
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := c.end(t.Context())
			defer cancel()
			var log bytes.Buffer
			guard := quiet(always(0, status.FromContextError(ctx.Err()).Err()))
			guard.Logger = slog.New(slog.NewTextHandler(&log, nil))
			request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
			request.Header = bearer(secret)
			guard.Require(tokens.Requirements{})(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), request)
			if warned := strings.Contains(log.String(), "level=WARN"); warned != c.warns {
				t.Errorf("logged %q", &log)
			}
		})
	}
}

func TestLoggerIsTheDefaultOneAtThatTime(t *testing.T) {
	guard := &tokens.Guard{Validator: always(0, errors.New("away"))}
	protect := guard.Require(tokens.Requirements{})
	var log bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	request.Header = bearer(secret)
	protect(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), request)
	if !strings.Contains(log.String(), "away") {
		t.Errorf("logged %q", &log)
	}
}
