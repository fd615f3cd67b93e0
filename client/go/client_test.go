package tokens_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	tokens "tokens.wemasy.com/client/go"
	"tokens.wemasy.com/client/go/tokensv1"
)

func TestClientAsksForTheTokenAndItsRequirements(t *testing.T) {
	var asked *tokensv1.ValidateRequest
	expires := time.Date(2030, 1, 2, 3, 4, 5, 6000, time.UTC)
	client := tokens.NewClient(dial(t, start(t, &fakeService{
		validate: func(_ context.Context, r *tokensv1.ValidateRequest) (*tokensv1.ValidateResponse, error) {
			asked = r
			return &tokensv1.ValidateResponse{
				Verdict:    tokensv1.Verdict_VERDICT_VALID,
				Token:      "projects/demo/tokens/t1",
				Project:    "projects/demo",
				Creator:    "user-7",
				Scopes:     []string{"a:b", "c:d"},
				Metadata:   map[string]string{"team": "blue"},
				ExpireTime: timestamppb.New(expires),
			}, nil
		},
	})))
	got, err := client.Validate(t.Context(), "abc", tokens.Requirements{
		Scopes: []string{"a:b"}, Project: "projects/demo",
	})
	if err != nil {
		t.Fatal(err)
	}
	wantAsked := &tokensv1.ValidateRequest{
		Token: "abc", RequiredScopes: []string{"a:b"}, ExpectedProject: "projects/demo",
	}
	if !proto.Equal(asked, wantAsked) {
		t.Errorf("asked for %v, want %v", asked, wantAsked)
	}
	want := tokens.Answer{
		Verdict: tokensv1.Verdict_VERDICT_VALID,
		Identity: tokens.Identity{
			Name:       "projects/demo/tokens/t1",
			Project:    "projects/demo",
			Creator:    "user-7",
			Scopes:     []string{"a:b", "c:d"},
			Metadata:   map[string]string{"team": "blue"},
			ExpireTime: expires,
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestTokenThatNeverExpiresHasNoExpireTime(t *testing.T) {
	client := tokens.NewClient(dial(t, start(t, &fakeService{
		validate: func(context.Context, *tokensv1.ValidateRequest) (*tokensv1.ValidateResponse, error) {
			return &tokensv1.ValidateResponse{Verdict: tokensv1.Verdict_VERDICT_VALID}, nil
		},
	})))
	got, err := client.Validate(t.Context(), "abc", tokens.Requirements{})
	if err != nil || !got.Identity.ExpireTime.IsZero() {
		t.Errorf("%v, %v, want the zero time", got.Identity.ExpireTime, err)
	}
}

func TestTokenThatIsNotUTF8IsMalformedWithoutAsking(t *testing.T) {
	client := tokens.NewClient(dial(t, start(t, &fakeService{
		validate: func(context.Context, *tokensv1.ValidateRequest) (*tokensv1.ValidateResponse, error) {
			t.Error("the service was asked")
			return &tokensv1.ValidateResponse{}, nil
		},
	})))
	got, err := client.Validate(t.Context(), "abc\xff", tokens.Requirements{})
	if err != nil || got.Verdict != tokensv1.Verdict_VERDICT_MALFORMED {
		t.Errorf("%v, %v, want MALFORMED", got.Verdict, err)
	}
}

func TestSilentServiceIsAnErrorInTime(t *testing.T) {
	client := tokens.NewClient(dial(t, start(t, &fakeService{
		validate: func(ctx context.Context, _ *tokensv1.ValidateRequest) (*tokensv1.ValidateResponse, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	})))
	client.Timeout = 50 * time.Millisecond
	_, err := client.Validate(t.Context(), "abc", tokens.Requirements{})
	if status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("%v, want DeadlineExceeded", err)
	}
}
