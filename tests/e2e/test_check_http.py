"""GET /check and requests of which two readers may think differently: where one
ends, the next begins, and a gateway's connection is shared by many clients."""

import re
import socket

import pytest
from harness.ports import free_port
from harness.server import Server

TIMEOUT_SECONDS = 10
# Comes after the request of a case, on the same connection: if it is answered
# with a 204, a part of what came before was taken for its end.
SMUGGLED = "GET /check HTTP/1.1\r\nHost: t\r\nx-api-key: {secret}\r\n\r\n"
_HEAD = "GET /check HTTP/1.1\r\nHost: t\r\n"

REFUSED = {
    "a length that only the sender knows": (
        _HEAD
        + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"
        + SMUGGLED
    ),
    "both lengths": (
        _HEAD
        + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        + SMUGGLED
    ),
    "both lengths, the other way round": (
        _HEAD
        + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
        + SMUGGLED
    ),
    "two lengths": (
        _HEAD
        + "Content-Length: 0\r\nContent-Length: {length}\r\n\r\n"
        + SMUGGLED
    ),
    "two lengths in one": _HEAD
    + "Content-Length: 0, {length}\r\n\r\n"
    + SMUGGLED,
    "a length with a sign": _HEAD + "Content-Length: +0\r\n\r\n" + SMUGGLED,
    "a negative length": _HEAD + "Content-Length: -1\r\n\r\n" + SMUGGLED,
    "a length in hexadecimal": _HEAD + "Content-Length: 0x0\r\n\r\n" + SMUGGLED,
    "a length beyond 64 bits": (
        _HEAD + "Content-Length: 18446744073709551616\r\n\r\n" + SMUGGLED
    ),
    "chunked twice": (
        _HEAD
        + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
        + "0\r\n\r\n"
        + SMUGGLED
    ),
    "a chunk beyond 64 bits": (
        _HEAD
        + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n"
        + SMUGGLED
    ),
    "a space before the colon": (
        _HEAD + "Content-Length : {length}\r\n\r\n" + SMUGGLED
    ),
    "a line without a colon": _HEAD + "Content-Length\r\n\r\n" + SMUGGLED,
    "a header without a name": _HEAD + ": 1\r\n\r\n" + SMUGGLED,
    "a bare LF": "GET /check HTTP/1.1\nHost: t\n\n" + SMUGGLED,
    "a bare LF in a header": (
        _HEAD + "A: b\nx-api-key: {secret}\r\n\r\n" + SMUGGLED
    ),
    "a bare CR in a header": (
        _HEAD + "A: b\rx-api-key: {secret}\r\n\r\n" + SMUGGLED
    ),
    "a NUL in a header": _HEAD + "x-api-key: {secret}\0\r\n\r\n" + SMUGGLED,
    "a NUL in a name": _HEAD + "x-api-key\0: {secret}\r\n\r\n" + SMUGGLED,
    "a continuation first of all": (
        "GET /check HTTP/1.1\r\n x-api-key: {secret}\r\n\r\n" + SMUGGLED
    ),
    "no version": "GET /check\r\n\r\n" + SMUGGLED,
    "another version": "GET /check HTTP/2.0\r\nHost: t\r\n\r\n" + SMUGGLED,
    "spaces in the target": "GET /check a HTTP/1.1\r\n\r\n" + SMUGGLED,
    "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SMUGGLED,
    "a target of 100 kB": (
        "GET /check?" + "x" * 100_000 + " HTTP/1.1\r\n\r\n" + SMUGGLED
    ),
    "20 000 headers": _HEAD + "A: b\r\n" * 20_000 + "\r\n" + SMUGGLED,
    "a name of 100 kB": _HEAD + "A" * 100_000 + ": b\r\n\r\n" + SMUGGLED,
    "blank lines without end": "\r\n" * 50_000 + SMUGGLED,
}


@pytest.fixture(scope="module")
def checked(cluster, database, tmp_path_factory):
    """A server that answers GET /check, and a valid token's secret."""
    port = free_port()
    server = Server(
        tmp_path_factory.mktemp("check"),
        cluster.url(database),
        check_listen=f"127.0.0.1:{port}",
        token_headers="x-api-key",
    ).start()
    with server.client() as client:
        yield port, client.create("check-http").secret
    assert server.stop() == 0


def exchange(port, data: bytes) -> bytes:
    """All that comes until the server closes the connection, which it must."""
    address = ("127.0.0.1", port)
    received = b""
    with socket.create_connection(address, TIMEOUT_SECONDS) as connection:
        try:
            connection.sendall(data)
            while more := connection.recv(65536):
                received += more
        except (BrokenPipeError, ConnectionResetError):
            # Closed before all was read.
            pass
    return received


def statuses(received: bytes) -> list:
    return [int(s) for s in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


@pytest.mark.parametrize("name", REFUSED)
def test_an_ambiguous_request_ends_the_connection(name, checked):
    port, secret = checked
    text = REFUSED[name].replace("{secret}", secret)
    text = text.replace("{length}", str(len(SMUGGLED) + len(secret) - 8))
    found = statuses(exchange(port, text.encode("latin-1")))
    # None at all if it was reset before that was read.
    assert len(found) <= 1 and all(400 <= each < 500 for each in found), found
    # The same server goes on.
    plain = SMUGGLED.replace("{secret}", secret).replace(
        "\r\n\r\n", "\r\nConnection: close\r\n\r\n"
    )
    assert statuses(exchange(port, plain.encode())) == [204]
