"""Callers who mean harm: the holes of gRPC 1.51 that docs/security.md names.
What we say is mitigated is, and the rest is no worse than we say."""

import contextlib
import re
import resource
import socket
import ssl
import threading

import pytest
from gateways import http2_frames as h2
from harness.waiting import wait_until
from test_processes import OK, health

VALIDATE = "/wemasy.tokens.v1.AuthService/Validate"
FIELDS = (
    (":method", "POST"),
    (":scheme", "http"),
    (":path", VALIDATE),
    (":authority", "tokend"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
)
BIG = ("x-big", "x" * 9000)
RESETS, BATCH = 20_000, 500


@pytest.fixture
def other(server):
    """Whoever else calls, on a connection of its own."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    with server.client(options=options) as client:
        assert client.verdict("wmsy_") == "MALFORMED"
        yield client
        assert server.process.poll() is None
        assert client.verdict("wmsy_") == "MALFORMED"


def connect(server) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), 10)
    connection.sendall(h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0))
    return connection


def headers(stream, fields) -> bytes:
    return h2.frame(h2.HEADERS, h2.END_HEADERS, stream, h2.block(fields))


def is_closed(connection) -> bool:
    """Reads what there is; whether the connection ends."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def without(name) -> tuple:
    return tuple(field for field in FIELDS if field[0] != name)


# CVE-2023-44487.
def test_rapid_resets_hold_up_nobody_else(server, other):
    with connect(server) as connection:
        reader = threading.Thread(target=is_closed, args=[connection])
        reader.start()
        cancel = (8).to_bytes(4, "big")
        # The server may have had enough.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for first in range(1, 2 * RESETS, 2 * BATCH):
                connection.sendall(
                    b"".join(
                        headers(stream, FIELDS)
                        + h2.frame(h2.RST_STREAM, 0, stream, cancel)
                        for stream in range(first, first + 2 * BATCH, 2)
                    )
                )
                assert other.verdict("wmsy_", timeout=5) == "MALFORMED"
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        reader.join()


# CVE-2023-32732: the connection ends, with the calls of all who share it.
def test_a_header_that_is_no_base64_ends_its_own_connection(server, other):
    with connect(server) as connection:
        connection.sendall(headers(1, (*FIELDS, ("x-bin", "{not base64}"))))
        assert is_closed(connection)


# CVE-2023-1428, which 1.51.1 has not: the process went down by these.
@pytest.mark.parametrize("big", [(), (BIG,)])
@pytest.mark.parametrize(
    "fields",
    [
        (*without("te"), ("te", "deflate")),
        (*without(":scheme")[:1], (":scheme", "ftp"), *without(":scheme")[1:]),
    ],
    ids=["te", "scheme"],
)
def test_odd_headers_end_nothing_else(server, other, fields, big):
    with connect(server) as connection:
        connection.settimeout(2)
        connection.sendall(headers(1, (*fields, *big)))
        is_closed(connection)


# CVE-2023-33953 and all that begins with HTTP/2.
def test_without_a_certificate_no_http2_is_read(tls_server, certificates):
    context = ssl.create_default_context(cafile=certificates["all"].ca)
    context.set_alpn_protocols(["h2"])

    def answer(context) -> bytes:
        address = ("127.0.0.1", tls_server.port)
        with (
            socket.create_connection(address, 10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as tls,
        ):
            tls.sendall(h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0))
            return tls.recv(65536)

    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        assert answer(context) == b"", "HTTP/2 is spoken"
        raise ssl.SSLError("the connection ended")
    # The tester, tested.
    caller = certificates["all"]
    context.load_cert_chain(caller.certificate, caller.key)
    assert answer(context)


# CVE-2023-4785: why liveness opens a new connection.
def test_a_listener_that_ran_out_of_descriptors_is_noticed(fleet):
    server = fleet.start()
    process = server.process.pid
    shown = re.search(r"^process_open_fds (\d+)", server.metrics(), re.M)
    limits = resource.prlimit(process, resource.RLIMIT_NOFILE)
    liveness = (server.target, "--service=liveness")
    with server.client() as client:
        assert client.verdict("wmsy_") == "MALFORMED"
        assert health(*liveness).returncode == OK
        few = (int(shown[1]) + 20, limits[1])
        resource.prlimit(process, resource.RLIMIT_NOFILE, few)
        with contextlib.ExitStack() as stack:
            for _ in range(60):
                stack.enter_context(
                    socket.create_connection(("127.0.0.1", server.port), 10)
                )
            wait_until(
                lambda: health(*liveness, timeout="1s").returncode != OK,
                30,
                "a full table",
            )
        # There is room again, and it does not help.
        resource.prlimit(process, resource.RLIMIT_NOFILE, limits)
        assert health(*liveness, timeout="3s").returncode != OK
        assert client.verdict("wmsy_") == "MALFORMED"
