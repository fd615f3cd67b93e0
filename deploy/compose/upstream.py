"""An API to try the gateway with: answers with what it was told of the caller.

Knows nothing of tokens. What it reads is in three headers, and it believes them
because nobody reaches it but through the gateway.
"""

import http.server


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        lines = [f"{self.command} {self.path}"]
        for name, value in self.headers.items():
            # A token is not meant to come here: to show that none does.
            if name.lower().startswith(("x-wemasy-", "authorization")):
                lines.append(f"{name}: {value}")
        body = "".join(f"{line}\n" for line in lines).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """The gateway has a log."""


http.server.ThreadingHTTPServer(("", 9000), Api).serve_forever()
