package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	tokens "tokens.wemasy.com/client/go"
	"tokens.wemasy.com/client/go/tokenstest"
)

func TestPagesAreForTokensThatMayReadThem(t *testing.T) {
	validator := &tokenstest.Validator{}
	handler := newHandler(&tokens.Guard{Validator: validator})
	get := func(token string) int {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/pages", nil)
		request.Header.Set("Authorization", "Bearer "+token)
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		return recorder.Code
	}

	validator.Add("alice", tokens.Identity{Project: "projects/demo", Scopes: []string{"pages:read"}})
	validator.Add("bob", tokens.Identity{Project: "projects/demo"})
	if got := get("alice"); got != http.StatusOK {
		t.Errorf("alice: %d, want 200", got)
	}
	if got := get("bob"); got != http.StatusForbidden {
		t.Errorf("bob, without the scope: %d, want 403", got)
	}
	validator.Revoke("alice")
	if got := get("alice"); got != http.StatusUnauthorized {
		t.Errorf("alice, revoked: %d, want 401", got)
	}
	validator.SetUnavailable(true)
	if got := get("bob"); got != http.StatusServiceUnavailable {
		t.Errorf("while the service is away: %d, want 503", got)
	}
}
