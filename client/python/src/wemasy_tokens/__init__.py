"""Validates API tokens, and protects HTTP and gRPC endpoints with them.

`wemasy_tokens.asgi`, `.starlette` and `.grpc_server` have the middleware,
`.testing` has validators for tests, and `wemasy.tokens.v1` the stubs.
"""

from wemasy_tokens.channel import connect, connect_async, tls_credentials
from wemasy_tokens.client import AsyncTokenClient, TokenClient
from wemasy_tokens.validation import (
    AsyncValidator,
    MalformedRequirementsError,
    Requirements,
    Scopes,
    TokenIdentity,
    ValidateError,
    Validation,
    Validator,
    Verdict,
)

__all__ = [
    "AsyncTokenClient",
    "AsyncValidator",
    "MalformedRequirementsError",
    "Requirements",
    "Scopes",
    "TokenClient",
    "TokenIdentity",
    "ValidateError",
    "Validation",
    "Validator",
    "Verdict",
    "connect",
    "connect_async",
    "tls_credentials",
]
