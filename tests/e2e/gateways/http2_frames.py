"""HTTP/2 frame by frame, for what no client would send."""

import dataclasses
import struct

from . import http1

DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@dataclasses.dataclass(frozen=True)
class Request:
    """Header fields as they go out, those that begin with a colon too."""

    fields: tuple
    body: bytes = None


def frame(kind, flags, stream, payload=b"") -> bytes:
    """One frame (RFC 9113, section 4.1)."""
    size = struct.pack(">I", len(payload))[1:]
    return size + struct.pack(">BBI", kind, flags, stream) + payload


def _text(value) -> bytes:
    """A string of HPACK, not compressed."""
    data = http1.encode(value)
    size = len(data)
    if size < 127:
        return bytes([size]) + data
    size -= 127
    prefix = bytearray([127])
    while size >= 128:
        prefix.append(size % 128 | 128)
        size //= 128
    return bytes([*prefix, size]) + data


def block(fields) -> bytes:
    """Header fields, none of them indexed (RFC 7541, section 6.2.2)."""
    return b"".join(b"\0" + _text(n) + _text(v) for n, v in fields)


def send(port: int, request: Request) -> bool:
    """Sends it as the first request of a connection; whether an answer came."""
    last = END_STREAM if request.body is None else 0
    data = PREFACE + frame(SETTINGS, 0, 0)
    data += frame(HEADERS, END_HEADERS | last, 1, block(request.fields))
    if request.body is not None:
        data += frame(DATA, END_STREAM, 1, request.body)
    with http1.Connection(port) as connection:
        connection.send(data)
        try:
            return _is_answered(connection)
        except (http1.Closed, ConnectionResetError):
            return False


def _is_answered(connection) -> bool:
    while True:
        head = connection.reader.exactly(9)
        size = int.from_bytes(head[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        connection.reader.exactly(size)
        if kind == SETTINGS and not flags & ACK:
            connection.send(frame(SETTINGS, ACK, 0))
        if stream == 1 and kind == HEADERS:
            return True
        if kind == GOAWAY or (stream == 1 and kind == RST_STREAM):
            return False
