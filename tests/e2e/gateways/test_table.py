"""Every case through every gateway: one outcome, or a deviation that the
document names."""

import pytest

from . import cases
from .gateway import ENVOYS, GATEWAYS, VARIANTS
from .running import run

ALL = [
    pytest.param(case, id=f"{group}-{case.name}")
    for group, members in cases.GROUPS.items()
    for case in members
]
# What is about headers, and thus about how a server is shown them.
HEADERS = [
    pytest.param(case, id=case.name)
    for case in cases.CREDENTIALS + cases.VERDICTS + cases.SPOOFED + cases.HTTP2
    # On a route without a token no server is asked, and of names that are half
    # and half, or have dots, none is told.
    if case.target != "/healthz"
    and case.name not in ("half an underscore", "with dots")
]


@pytest.mark.parametrize("name", GATEWAYS)
@pytest.mark.parametrize("case", ALL)
def test_case(case, name, running, site, tokens):
    run(case, running(name), site, tokens)


@pytest.mark.parametrize("variant", [each for each in VARIANTS if each])
@pytest.mark.parametrize("envoy", ENVOYS)
@pytest.mark.parametrize("case", HEADERS)
def test_headers_as_the_server_is_shown_them(
    case, envoy, variant, running, site, tokens
):
    """Merged or not; and with what Envoy takes away left for the server."""
    run(case, running(f"{envoy}/{variant}"), site, tokens)
