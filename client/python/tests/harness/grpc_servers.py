"""gRPC servers, of threads and of asyncio, with a protected service.

Its methods, one of each kind, answer with the name of the caller's token.
"""

import asyncio
import concurrent.futures
import contextlib
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import grpc
import grpc.aio

from wemasy_tokens.grpc_server import current_identity

SERVICE = "test.Pages"
NOBODY = "nobody"
KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
PUBLIC = f"/{SERVICE}/public"

Metadata = tuple[tuple[str, str], ...]


def _who() -> bytes:
    try:
        return current_identity().name.encode()
    except LookupError:
        return NOBODY.encode()


def _one(_request: Any, _context: Any) -> bytes:
    return _who()


def _two(_request: Any, _context: Any) -> Iterator[bytes]:
    yield _who()
    yield _who()


async def _one_async(_request: Any, _context: Any) -> bytes:
    return _who()


async def _two_async(_request: Any, _context: Any) -> AsyncIterator[bytes]:
    yield _who()
    yield _who()


def _service(
    one: Callable[..., Any], two: Callable[..., Any]
) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            "public": grpc.unary_unary_rpc_method_handler(one),
            "unary_unary": grpc.unary_unary_rpc_method_handler(one),
            "unary_stream": grpc.unary_stream_rpc_method_handler(two),
            "stream_unary": grpc.stream_unary_rpc_method_handler(one),
            "stream_stream": grpc.stream_stream_rpc_method_handler(two),
        },
    )


@contextlib.contextmanager
def serve_threads(interceptor: grpc.ServerInterceptor) -> Iterator[str]:
    """Serves the methods; yields the target."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        server = grpc.server(pool, interceptors=[interceptor])
        server.add_generic_rpc_handlers((_service(_one, _two),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(None).wait()


@contextlib.contextmanager
def serve_asyncio(interceptor: grpc.aio.ServerInterceptor) -> Iterator[str]:
    """The same, by an event loop in a thread of its own."""
    started = queue.SimpleQueue[
        tuple[asyncio.AbstractEventLoop, asyncio.Event, int]
    ]()

    async def main() -> None:
        server = grpc.aio.server(interceptors=[interceptor])
        server.add_generic_rpc_handlers((_service(_one_async, _two_async),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        stop = asyncio.Event()
        started.put((asyncio.get_running_loop(), stop, port))
        await stop.wait()
        await server.stop(None)

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    loop, stop, port = started.get(timeout=30)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def call(channel: grpc.Channel, method: str, metadata: Metadata) -> list[str]:
    """Calls a method, by its name also of the kind; returns its answers."""
    kind = method if method in KINDS else "unary_unary"
    path = f"/{SERVICE}/{method}"
    request: Any = b""
    if kind.startswith("stream"):
        request = iter([request])
    answer = getattr(channel, kind)(path)(
        request, metadata=metadata, timeout=30
    )
    answers = answer if kind.endswith("stream") else [answer]
    return [text.decode() for text in answers]


def refused(
    channel: grpc.Channel, method: str, metadata: Metadata
) -> tuple[grpc.StatusCode, str | None]:
    """Calls a method; returns how that failed."""
    try:
        answers = call(channel, method, metadata)
    except grpc.RpcError as error:
        return error.code(), error.details()
    raise AssertionError(f"{method} was not refused: {answers}")


def bearer(token: str) -> Metadata:
    return (("authorization", f"Bearer {token}"),)


Serve = Callable[[Any], AbstractContextManager[str]]
SERVERS: dict[str, Serve] = {
    "threads": serve_threads,
    "asyncio": serve_asyncio,
}
