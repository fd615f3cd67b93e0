"""Sends a case through a gateway, and looks at what became of it."""

import uuid

from . import http1, http2
from .case import DIGEST
from .deviations import outcome_of
from .outcomes import check_api, check_response
from .upstream import CASE


def run(case, gateway, site, tokens):
    """`tokens` are by the names that the case calls them."""
    response, seen = send(case, gateway, site, tokens)
    outcome = outcome_of(gateway.name, case)
    check_response(outcome, response, case.method)
    check_api(outcome, seen, tokens[case.token])
    if seen:
        check_message(case, seen[0])


def send(case, gateway, site, tokens):
    """The response, and what the API saw."""
    mark = uuid.uuid4().hex
    arguments = {
        "target": _fill(case.target, tokens),
        "headers": [(CASE, mark), *_filled(case.headers, tokens)],
        "method": case.method,
        "body": case.body,
        "trailers": _filled(case.trailers, tokens),
    }
    if case.http2:
        response = http2.send(gateway.http2_port, **arguments)
    else:
        response = gateway.exchange(chunked=case.chunked, **arguments)
    return response, site.api.saw(mark)


def check_message(case, request):
    """The rest of a request arrives as it was sent."""
    method, target, _ = request.start.split(" ", 2)
    assert method == case.method
    if case.path:
        assert target == case.path
    sent = DIGEST if case.body else http1.Message("", []).digest
    assert request.digest == sent


def _filled(fields, tokens):
    """With the secrets in their places."""
    return [
        (name, value if isinstance(value, bytes) else _fill(value, tokens))
        for name, value in fields
    ]


def _fill(text, tokens):
    for kind, token in tokens.items():
        text = text.replace(f"{{{kind}}}", token.secret)
    return text
