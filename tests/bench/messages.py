"""Requests as they go over the wire, for load generators that send bytes."""

import struct

VALIDATE = "/wemasy.tokens.v1.AuthService/Validate"
CHECK = "/envoy.service.auth.v3.Authorization/Check"
EMPTY = "/wemasy.tokens.bench.EmptyService/Call"
PAYLOAD = "/wemasy.tokens.bench.PayloadService/Call"
LOOKUP = "/wemasy.tokens.bench.LookupService/Lookup"


def frame(message: bytes) -> bytes:
    """A message as gRPC puts it on the wire."""
    return struct.pack(">BI", 0, len(message)) + message


def field(number: int, content) -> bytes:
    """A string or message as a field of a protobuf message."""
    if isinstance(content, str):
        content = content.encode()
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """Of less than 16384."""
    return (
        bytes([value])
        if value < 128
        else bytes([value & 127 | 128, value >> 7])
    )


def validate_request(secret: str) -> bytes:
    return field(1, secret)


def payload_request(request_bytes: int, response_bytes: int) -> bytes:
    """A message of the first size, whose answer is of the second."""
    asked = b"\x10" + varint(_content_bytes(response_bytes))
    return field(1, "x" * _content_bytes(request_bytes - len(asked))) + asked


def _content_bytes(field_bytes: int) -> int:
    """How long a content makes field() as long as that."""
    return field_bytes - (2 if field_bytes < 130 else 3)


def check_request(secret: str) -> bytes:
    """What Envoy sends if it is told to show the credentials only."""
    headers = {
        "authorization": f"Bearer {secret}",
        "x-request-id": "5c1f2f5e-3b0e-4b57-9d0a-6f5b1a2c3d4e",
    }
    http = field(1, headers["x-request-id"]) + field(2, "GET")
    for name, value in headers.items():
        http += field(3, field(1, name) + field(2, value))
    http += field(4, "/v1/pages?limit=10") + field(5, "api.example.com")
    http += field(6, "https") + field(11, "HTTP/2")

    def peer(port: bytes) -> bytes:
        # An address.socket_address with an address and a port.
        return field(1, field(1, field(2, "127.0.0.1") + b"\x18" + port))

    attributes = field(1, peer(b"\xd0\x8f\x03")) + field(2, peer(b"\xbb\x03"))
    attributes += field(4, field(2, http))
    attributes += field(10, field(1, "project") + field(2, "projects/bench"))
    return field(1, attributes)
