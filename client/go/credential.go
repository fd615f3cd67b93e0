package tokens

import (
	"slices"
	"strings"
)

const (
	authorization = "authorization"
	scheme        = "bearer"
)

// tokenHeaders are the lower-case names of headers that hold a token and nothing
// else.
type tokenHeaders []string

// newTokenHeaders returns each name once, as two would be two credentials.
func newTokenHeaders(names []string) tokenHeaders {
	var headers tokenHeaders
	for _, name := range names {
		name = strings.ToLower(name)
		if name != authorization && !slices.Contains(headers, name) {
			headers = append(headers, name)
		}
	}
	return headers
}

// read returns the token of a request whose headers values looks up, or why
// there is none. Nothing is forgiven: two credentials are refused even if they
// are equal, since whoever comes later may choose the other one.
func (h tokenHeaders) read(values func(name string) []string) (string, *refusal) {
	var presented []string
	for _, value := range values(authorization) {
		// Other schemes are none of this package's business.
		if !mentionsBearer(value) {
			continue
		}
		token, ok := afterBearer(value)
		if !ok {
			return "", &notOneCredential
		}
		presented = append(presented, token)
	}
	for _, name := range h {
		presented = append(presented, values(name)...)
	}
	if len(presented) == 0 {
		return "", &noCredential
	}
	token := presented[0]
	if len(presented) > 1 || token == "" || strings.ContainsAny(token, " \t,") {
		return "", &notOneCredential
	}
	return token, nil
}

// afterBearer returns what follows the scheme Bearer and a run of spaces, and
// whether value is of that scheme.
func afterBearer(value string) (rest string, ok bool) {
	if len(value) < len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) {
		return "", false
	}
	rest = value[len(scheme):]
	if rest != "" && rest[0] != ' ' {
		return "", false
	}
	return strings.TrimLeft(rest, " "), true
}

// mentionsBearer says whether one of several values, joined by commas as proxies
// do it, is of the scheme Bearer.
func mentionsBearer(value string) bool {
	for part := range strings.SplitSeq(value, ",") {
		if _, ok := afterBearer(strings.TrimLeft(part, " \t")); ok {
			return true
		}
	}
	return false
}
