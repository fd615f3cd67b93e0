// Command example serves GET /pages to whoever has a token that may read pages.
//
//	go run ./example -tokens 127.0.0.1:7443 -listen 127.0.0.1:8080
//	curl -H "Authorization: Bearer $(cat secret)" 127.0.0.1:8080/pages
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"

	tokens "tokens.wemasy.com/client/go"
)

func main() {
	target := flag.String("tokens", "127.0.0.1:7443", "the token service on this machine, `host:port`")
	listen := flag.String("listen", "127.0.0.1:8080", "where to serve, `host:port`")
	flag.Parse()
	if err := serve(*target, *listen); err != nil {
		log.Fatal(err)
	}
}

func serve(target, listen string) error {
	conn, err := tokens.Dial(target)
	if err != nil {
		return err
	}
	defer conn.Close()
	server := &http.Server{
		Addr:              listen,
		Handler:           newHandler(&tokens.Guard{Validator: tokens.NewClient(conn)}),
		ReadHeaderTimeout: 5 * time.Second,
		// Bounds how long a response goes on after its token was revoked.
		WriteTimeout: time.Minute,
	}
	return server.ListenAndServe()
}

func newHandler(guard *tokens.Guard) http.Handler {
	needsRead := guard.Require(tokens.Requirements{Scopes: []string{"pages:read"}})
	mux := http.NewServeMux()
	mux.Handle("GET /pages", needsRead(http.HandlerFunc(showPages)))
	return mux
}

func showPages(w http.ResponseWriter, r *http.Request) {
	identity, _ := tokens.FromContext(r.Context())
	fmt.Fprintf(w, "the pages of %s, for %s\n", identity.Project, identity.Name)
}
