"""What mutants.py breaks where Envoy speaks JSON: the holder's route, and REST.

Each is a name, the tests of which one must fail, a text that stands in the file
once, and what it becomes.
"""

# In envoy.yaml, seen by test_self.py.
SELF = [
    (
        "json-errors",
        "no_valid_token",
        "convert_grpc_status: true",
        "convert_grpc_status: false",
    ),
    (
        "unknown-parameters",
        "malformed",
        "reject_unknown_query_parameters: true",
        "reject_unknown_query_parameters: false",
    ),
    (
        "large-body",
        "malformed",
        "max_request_body_size: 4096",
        "max_request_body_size: 400000",
    ),
    (
        "body-too-large",
        "malformed",
        "{code: 8, message: the body is too large}",
        "{code: 3, message: the body is too large}",
    ),
    (
        "one-call-a-connection",
        "ends_no_connection",
        "max_requests_per_connection: 1\n",
        "max_requests_per_connection: 1000\n",
    ),
    (
        "bound",
        "bounded",
        "{max_connections: 64, max_pending_requests: 64, max_requests: 64,",
        "{max_connections: 640, max_pending_requests: 640, max_requests: 640,",
    ),
    ("headers", "headers_stay", "fields:remove(name)", ""),
    ("trailers", "trailers_stay", "reduce(trailers, {})", ""),
    (
        "header-bytes",
        "headers_stay",
        "local max_bytes = 4096",
        "local max_bytes = 400000",
    ),
    (
        "no-store",
        "learns_who",
        'headers:replace("cache-control", "no-store")',
        "",
    ),
    ("grpc-status", "learns_who", 'headers:remove("grpc-status")', ""),
]

# In envoy-rest.yaml, seen by test_rest.py.
REST = [
    (
        "rest-loopback",
        "pretends",
        "address: 127.0.0.1, port_value: 8081",
        "address: 0.0.0.0, port_value: 8081",
    ),
    (
        "rest-domains",
        "pretends",
        "domains: [127.0.0.1, localhost]",
        'domains: ["*"]',
    ),
    (
        "rest-content-type",
        "envoy_refuses",
        "direct_response: {status: 415}",
        "route: {cluster: tokend}",
    ),
    (
        "rest-json-errors",
        "server_refuses",
        "convert_grpc_status: true",
        "convert_grpc_status: false",
    ),
    (
        "rest-unknown-method",
        "envoy_refuses",
        "reject_unknown_method: true",
        "reject_unknown_method: false",
    ),
    (
        "rest-unknown-parameters",
        "envoy_refuses",
        "reject_unknown_query_parameters: true",
        "reject_unknown_query_parameters: false",
    ),
    (
        "rest-two-names",
        "envoy_refuses",
        "reject_binding_body_field_collisions: true",
        "reject_binding_body_field_collisions: false",
    ),
    (
        "rest-escaped-slashes",
        "envoy_refuses",
        "path_with_escaped_slashes_action: REJECT_REQUEST",
        "path_with_escaped_slashes_action: KEEP_UNCHANGED",
    ),
    ("rest-unreadable", "envoy_refuses", "'{\"code\":13}'", "'{}'"),
    (
        "rest-plus",
        "commands",
        "query_param_unescape_plus: true",
        "query_param_unescape_plus: false",
    ),
    (
        "rest-request-id",
        "server_refuses",
        "preserve_external_request_id: true",
        "preserve_external_request_id: false",
    ),
    (
        "rest-small-bodies",
        "body_as_large",
        "max_request_body_size: 2097152",
        "max_request_body_size: 524288",
    ),
    (
        "rest-large-bodies",
        "envoy_refuses",
        "max_request_body_size: 2097152",
        "max_request_body_size: 20971520",
    ),
    (
        "rest-callers",
        "tls",
        "- {san_type: URI, matcher: {exact: spiffe://example.org/backend}}",
        "- {san_type: URI, matcher: {prefix: spi}} #spiffe://example.org/backend",
    ),
    ("rest-headers", "headers_stay", "fields:remove(name)", ""),
    ("rest-trailers", "headers_stay", "reduce(trailers, {})", ""),
    (
        "rest-header-bytes",
        "headers_stay",
        "local max_bytes = 6144",
        "local max_bytes = 600000",
    ),
    (
        "rest-secret-in-a-query",
        "no_error_and_no_log",
        "{name: token, present_match: true}",
        "{name: nothing, present_match: true}",
    ),
    (
        "rest-query-in-the-log",
        "no_error_and_no_log",
        'path: "%PATH(NQ)%"',
        'path: "%PATH(WQ)%"',
    ),
    (
        "rest-secret-in-an-error",
        "no_error_and_no_log",
        "prefix: /wemasy.tokens.v1.AuthService/",
        "prefix: /nothing/",
    ),
    (
        "rest-secret-in-an-error-of-revoke",
        "no_error_and_no_log",
        "prefix: /wemasy.tokens.v1.TokenService/RevokeLeakedTokens",
        "prefix: /nothing/",
    ),
    ("rest-no-server", "no_server", "code: 14,", "code: 13,"),
]
