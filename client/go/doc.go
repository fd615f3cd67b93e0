// Package tokens checks the API tokens of the WEMASY token service in front of
// HTTP handlers and gRPC methods.
//
//	conn, err := tokens.Dial("127.0.0.1:7443")
//	...
//	guard := &tokens.Guard{Validator: tokens.NewClient(conn)}
//	needsRead := guard.Require(tokens.Requirements{Scopes: []string{"pages:read"}})
//	http.Handle("GET /pages", needsRead(pages))
//
// A request with a valid token goes on, and [FromContext] says whose it is. Any
// other is refused as RFC 6750 has it, and so is every request while nobody can
// say whether its token is valid.
//
// An answer is true when it is given. Keep none of them: a revoked token must be
// refused on the next request. For the same reason limit the age of what stays
// open after its token was checked, such as a WebSocket, a stream or a long
// download.
//
// No type of this package has a token in it, and no log line or error. The
// messages of package tokensv1 do print what they carry, tokens too: log none of
// ValidateRequest, CreateTokenResponse, RotateTokenResponse and LeakedToken.
package tokens
