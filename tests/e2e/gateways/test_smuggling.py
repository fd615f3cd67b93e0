"""Requests that two readers may understand differently: see probes.py."""

import contextlib
import socket
import uuid

import pytest
from harness.waiting import wait_until

from . import http2_frames
from .case import VALID, Case
from .gateway import GATEWAYS
from .outcomes import PASSES, check_api
from .probes import PROBES, SMUGGLED
from .running import run

# How long after an answer another request would be seen, and how long there may
# be no answer at all.
QUIET_SECONDS = 0.3
SILENT_SECONDS = 2


def fill(text, mark, tokens) -> bytes:
    for name in ("valid", "narrow"):
        text = text.replace(f"{{{name}}}", tokens[name].secret)
    length = len(SMUGGLED.replace("{mark}", mark))
    text = text.replace("{length}", str(length)).replace("{mark}", mark)
    return text.encode("latin-1")


def send(gateway, probe, mark, tokens):
    """Returns when nothing more comes."""
    if probe.request:
        body = probe.request.body
        request = http2_frames.Request(
            tuple(
                tuple(fill(part, mark, tokens) for part in field)
                for field in probe.request.fields
            ),
            body and fill(body.decode(), mark, tokens),
        )
        http2_frames.send(gateway.http2_port, request)
        return
    with gateway.connect() as connection:
        connection.socket.settimeout(SILENT_SECONDS)
        connection.send(fill(probe.text, mark, tokens))
        with contextlib.suppress(socket.timeout, ConnectionResetError):
            while connection.reader.some():
                connection.socket.settimeout(QUIET_SECONDS)


@pytest.mark.parametrize("name", GATEWAYS)
@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_the_api_gets_one_request_at_most(probe, name, running, site, tokens):
    gateway = running(name)
    mark = uuid.uuid4().hex
    send(gateway, probe, mark, tokens)
    if probe.result(name) == "passes":
        wait_until(lambda: site.api.saw(mark), 10, "the request")
    seen = site.api.saw(mark)
    if seen:
        assert [each.start for each in seen if "smuggled" in each.start] == []
        check_api(PASSES, seen, tokens["valid"])
        assert not [v for _, v in seen[0].headers if "\r" in v]
    assert ("passes" if seen else "refused") == probe.result(name)
    # Nothing stays behind on a connection to the API.
    for _ in range(2):
        run(Case("next", PASSES, (VALID,)), gateway, site, tokens)
    # Nor did the rest of the probe come later.
    assert site.api.saw(mark) == seen
