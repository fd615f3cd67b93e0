"""Routes that demand what there is not, and routes that demand both."""

import pytest

from . import cases
from .case import Case, bearer
from .gateway import ENVOYS, GATEWAYS
from .outcomes import MISSING_SCOPE, OTHER_PROJECT, PASSES
from .running import run

# By the form in which a gateway states what a route demands.
_EXTENSIONS = "required_scopes: pages:write pages:read"
_QUERY = "required_scopes=pages:write,pages:read"


@pytest.mark.parametrize("name", GATEWAYS)
@pytest.mark.parametrize(
    "case, demand",
    [
        (cases.UNKNOWN_KEY, ("required_scope", "pages:write")),
        (cases.BAD_SCOPE, ("required_scopes", "Pages/Write")),
    ],
    ids=["key", "scope"],
)
def test_misconfigured_route(case, demand, name, start, site, tokens):
    if name in ENVOYS:
        edits = {_EXTENSIONS: ": ".join(demand)}
    else:
        edits = {_QUERY: "=".join(demand)}
    before = [len(server.log()) for server in site.servers]
    run(case, start(name, site, edits), site, tokens)
    said = "".join(
        server.log()[length:]
        for server, length in zip(site.servers, before, strict=True)
    )
    assert f'the route\'s setting \\"{demand[0]}\\"' in said, said


BOTH = [
    Case("both are met", PASSES, bearer("{valid}"), "/demo/x"),
    Case("a scope is missing", MISSING_SCOPE, bearer("{narrow}"), "/demo/x"),
    Case("another project", OTHER_PROJECT, bearer("{other}"), "/demo/x"),
]


@pytest.mark.parametrize("name", GATEWAYS)
def test_a_route_may_demand_scopes_and_a_project(name, start, site, tokens):
    if name in ENVOYS:
        project = "project: projects/demo"
        edits = {project: f"{project}\n{' ' * 34}{_EXTENSIONS}"}
    else:
        project = "project=projects/demo"
        edits = {project: f"{project}&{_QUERY}"}
    gateway = start(name, site, edits)
    for case in BOTH:
        run(case, gateway, site, tokens)
