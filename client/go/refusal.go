package tokens

import (
	"net/http"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// refusal is an answer other than letting a request pass.
type refusal struct {
	// httpStatus and code say it over HTTP and gRPC.
	httpStatus int
	code       codes.Code
	// challenge is the value of WWW-Authenticate (RFC 6750, section 3), or empty.
	challenge string
	// text is for people, and the same whatever is wrong with the token.
	text string
}

const (
	challenge = `Bearer realm="wemasy"`
	textWho   = "a valid API token is required"
	textMay   = "the API token may not do this"
)

var (
	noCredential = refusal{
		http.StatusUnauthorized, codes.Unauthenticated, challenge, textWho,
	}
	notOneCredential = refusal{
		http.StatusBadRequest, codes.InvalidArgument,
		challenge + `, error="invalid_request"`, "more than one credential",
	}
	invalidToken = refusal{
		http.StatusUnauthorized, codes.Unauthenticated,
		challenge + `, error="invalid_token"`, textWho,
	}
	wrongProject = refusal{
		http.StatusForbidden, codes.PermissionDenied,
		challenge + `, error="insufficient_scope"`, textMay,
	}
	undecided = refusal{
		http.StatusServiceUnavailable, codes.Unavailable, "", "try again in a moment",
	}
	misconfigured = refusal{
		http.StatusInternalServerError, codes.Internal, "", "internal error",
	}
)

// insufficientScope is the refusal of tokens without all of scopes, which it
// names: they are the route's, and no secret.
func insufficientScope(scopes []string) refusal {
	scopes = slices.Sorted(slices.Values(scopes))
	r := wrongProject
	r.challenge += `, scope="` + strings.Join(slices.Compact(scopes), " ") + `"`
	return r
}

// write answers an HTTP request with the refusal.
func (r *refusal) write(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	if r.challenge != "" {
		header.Set("WWW-Authenticate", r.challenge)
	}
	if r.httpStatus == http.StatusServiceUnavailable {
		header.Set("Retry-After", "1")
	}
	w.WriteHeader(r.httpStatus)
	// Whoever went away does not read it.
	_, _ = w.Write([]byte(`{"error":"` + r.text + "\"}\n"))
}

// err is the refusal as an error of gRPC.
func (r *refusal) err() error { return status.Error(r.code, r.text) }
