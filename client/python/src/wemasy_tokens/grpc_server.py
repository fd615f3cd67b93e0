"""Interceptors for gRPC servers, of threads and of asyncio."""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar

import grpc
import grpc.aio

from wemasy_tokens._authorize import (
    ROUTE_MISCONFIGURED,
    Refusal,
    RefusedError,
    authorize,
    authorize_async,
)
from wemasy_tokens.validation import (
    AsyncValidator,
    Requirements,
    TokenIdentity,
    Validator,
)

_log = logging.getLogger("wemasy_tokens")

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")

_identity = contextvars.ContextVar[TokenIdentity]("wemasy_tokens.identity")

# By whether requests and responses are streams.
_KINDS: dict[tuple[bool, bool], tuple[str, Callable[..., Any]]] = {
    (False, False): ("unary_unary", grpc.unary_unary_rpc_method_handler),
    (False, True): ("unary_stream", grpc.unary_stream_rpc_method_handler),
    (True, False): ("stream_unary", grpc.stream_unary_rpc_method_handler),
    (True, True): ("stream_stream", grpc.stream_stream_rpc_method_handler),
}


def current_identity() -> TokenIdentity:
    """Returns whose token the call has that this is called in.

    Raises LookupError outside of a call that an interceptor let pass with a
    token; also in a thread that the method itself has started.
    """
    return _identity.get()


class _Rules:
    """What the methods of a server need. Immutable."""

    def __init__(
        self,
        requirements: Requirements | None,
        methods: Mapping[str, Requirements],
        open_methods: Collection[str],
        token_headers: Collection[str],
    ) -> None:
        self._requirements = requirements
        self._methods = dict(methods)
        self._open_methods = frozenset(open_methods).difference(methods)
        self.token_headers = frozenset(map(str.lower, token_headers))

    def is_open(self, method: str) -> bool:
        return method in self._open_methods

    def of(self, method: str) -> Requirements:
        """Raises RefusedError if no rule says it."""
        requirements = self._methods.get(method, self._requirements)
        if requirements is None:
            _log.error("no rule says what %s needs of a token", method)
            raise RefusedError(ROUTE_MISCONFIGURED)
        return requirements


class TokenInterceptor(grpc.ServerInterceptor):
    """Lets calls pass that present a token which will do.

    `methods` says what each needs, by `/package.Service/Method`, and
    `open_methods` has those that need no token, such as
    `/grpc.health.v1.Health/Check`. `requirements` are for all others; without,
    these are refused with INTERNAL, so that none is open by oversight. The
    method finds the TokenIdentity by `current_identity()`. Other calls end with
    INVALID_ARGUMENT, UNAUTHENTICATED, PERMISSION_DENIED or UNAVAILABLE, or
    INTERNAL if the requirements are malformed.

    The token is in the metadata as `authorization: Bearer`, or under a name in
    `token_headers` that holds nothing else. It is looked at when a call begins,
    and not again: limit the age of streams.

    Thread-safe if `validator` is.
    """

    def __init__(
        self,
        validator: Validator,
        requirements: Requirements | None = None,
        methods: Mapping[str, Requirements] = {},
        *,
        open_methods: Collection[str] = (),
        token_headers: Collection[str] = (),
    ) -> None:
        self._validator = validator
        self._rules = _Rules(requirements, methods, open_methods, token_headers)

    def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails],
            grpc.RpcMethodHandler[_Request, _Response] | None,
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[_Request, _Response] | None:
        """Called by gRPC."""
        handler = continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or self._rules.is_open(method):
            return handler
        kind = handler.request_streaming, handler.response_streaming
        name, make_handler = _KINDS[kind]
        behavior = getattr(handler, name)

        # Here is the thread that hands out all calls, which must not wait.
        def guarded(request: Any, context: grpc.ServicerContext) -> Any:
            try:
                identity = authorize(
                    self._validator,
                    self._rules.of(method),
                    handler_call_details.invocation_metadata,
                    self._rules.token_headers,
                )
            except RefusedError as refused:
                refusal = refused.refusal
                context.abort(refusal.code, refusal.error)
            # Each call has a context of its own.
            _identity.set(identity)
            return behavior(request, context)

        guarded_handler: grpc.RpcMethodHandler[_Request, _Response] = (
            make_handler(
                guarded,
                handler.request_deserializer,
                handler.response_serializer,
            )
        )
        return guarded_handler


class AsyncTokenInterceptor(grpc.aio.ServerInterceptor):
    """The same for servers of grpc.aio.

    `current_identity()` works in methods that are coroutines or asynchronous
    generators. Belongs to the server's event loop.
    """

    def __init__(
        self,
        validator: AsyncValidator,
        requirements: Requirements | None = None,
        methods: Mapping[str, Requirements] = {},
        *,
        open_methods: Collection[str] = (),
        token_headers: Collection[str] = (),
    ) -> None:
        self._validator = validator
        self._rules = _Rules(requirements, methods, open_methods, token_headers)

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails],
            Awaitable[grpc.RpcMethodHandler[_Request, _Response] | None],
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[_Request, _Response] | None:
        """Called by gRPC."""
        method = handler_call_details.method
        if not self._rules.is_open(method):
            try:
                identity = await authorize_async(
                    self._validator,
                    self._rules.of(method),
                    handler_call_details.invocation_metadata,
                    self._rules.token_headers,
                )
            except RefusedError as refused:
                return _refusing(refused.refusal)
            # Each call has a context of its own.
            _identity.set(identity)
        return await continuation(handler_call_details)


def _refusing(refusal: Refusal) -> grpc.RpcMethodHandler[Any, Any]:
    async def refuse(
        _requests: Iterator[Any], context: grpc.aio.ServicerContext[Any, Any]
    ) -> None:
        await context.abort(refusal.code, refusal.error)

    # Of this kind it waits for no request.
    return grpc.stream_stream_rpc_method_handler(refuse)
