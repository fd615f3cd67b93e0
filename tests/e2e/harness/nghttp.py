"""Calls by a client that has more patience than it tells the server: what the
server says at the end of its deadline is not cut off by the client's own."""

import base64
import re
import subprocess
import tempfile

from . import evidence
from .stubs import error_details_pb2, status_pb2


def error_at_deadline(server, rpc, request, timeout):
    """The gRPC code and ErrorInfo that a call of TokenService ends with;
    `timeout` as grpc-timeout has it."""
    message = request.SerializeToString()
    body = tempfile.NamedTemporaryFile()
    body.write(b"\0" + len(message).to_bytes(4, "big") + message)
    body.flush()
    # gRPC's own clock at the server may come first, on a busy machine.
    for _ in range(5):
        done = subprocess.run(
            [
                *("nghttp", "-v", "--no-dep", "-t", "20", "-d", body.name),
                *("-H", ":method: POST", "-H", "te: trailers"),
                *("-H", "content-type: application/grpc"),
                *("-H", f"grpc-timeout: {timeout}"),
                f"http://{server.target}/wemasy.tokens.v1.TokenService/{rpc}",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        shown = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout.decode("latin-1"))
        evidence.add_text(shown)
        if found := re.search(r"grpc-status-details-bin: (\S+)", shown):
            break
    assert found, shown
    encoded = found.group(1)
    status = status_pb2.Status.FromString(
        base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    )
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    return status.code, info
