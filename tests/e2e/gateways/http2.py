"""HTTP/2 without TLS, by nghttp: a client that nobody here wrote."""

import re
import shutil
import subprocess
import tempfile

from . import http1

_RECEIVED = re.compile(
    r"recv \(stream_id=\d+(?:, sensitive)?\) (:?[^:]+): (.*)$"
)


def _output_of(command, seconds) -> str:
    """What was said by its end, or by then."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode("latin-1")
    return done.stdout.decode("latin-1")


def send(
    port, target, headers=(), method="GET", body=None, trailers=(), seconds=20
) -> http1.Message:
    """Sends a request with prior knowledge, and returns the response.

    Its status is 0 if the gateway has ended the connection instead. What has
    not ended after so many seconds is ended here.
    """
    nghttp = shutil.which("nghttp")
    if not nghttp:
        raise FileNotFoundError(
            "no nghttp, of Debian's nghttp2-client: run scripts/install-deps"
        )
    command = [nghttp, "--verbose", "--no-dep", "--timeout=20"]
    command.append(f"--header=:method: {method}")
    command.append("--header=:authority: api.example")
    for name, value in headers:
        command.append(
            b"--header=" + http1.encode(f"{name}: ") + http1.encode(value)
        )
    for name, value in trailers:
        command.append(f"--trailer={name}: {value}")
    with tempfile.NamedTemporaryFile() as file:
        if body is not None:
            file.write(body)
            file.flush()
            command.append(f"--data={file.name}")
        output = _output_of(
            [*command, f"http://127.0.0.1:{port}{target}"], seconds
        )
    found = []
    text = re.sub(r"\x1b\[[0-9;]*m", "", output)
    for line in text.splitlines():
        match = _RECEIVED.search(line)
        if match:
            found.append((match[1], match[2]))
    status = [value for name, value in found if name == ":status"]
    if not status and "recv GOAWAY" in text:
        return http1.Message("HTTP/2 0", [])
    assert status, f"no response: {text}"
    fields = [field for field in found if not field[0].startswith(":")]
    response = http1.Message(f"HTTP/2 {status[-1]}", fields)
    # The body is among the log's lines, each of which begins with a bracket.
    lines = [
        line
        for line in text.splitlines(keepends=True)
        if not line.startswith(("[", " ")) and line.strip()
    ]
    response.body = "".join(lines).encode("latin-1")
    return response
