"""The documents on gateways say what the tests have seen."""

import collections

import pytest

from . import cases, tables, test_envoy
from .advisories import ADVISORIES, CONTROLS, UNTESTED
from .deviations import DEVIATIONS
from .gateway import DEPLOY, GATEWAYS


@pytest.mark.parametrize(
    "document", tables.DOCUMENTS, ids=lambda document: document.name
)
def test_the_tables_are_those_of_the_tests(document):
    """If not, run `python -m gateways.tables` in tests/e2e."""
    text = document.read_text(encoding="utf-8")
    assert text == tables.with_tables(text, tables.DOCUMENTS[document])


def test_every_advisory_is_listed_once():
    names = [name for each in ADVISORIES for name in each.name.split(", ")]
    names += [name.split(" ")[0] for name in UNTESTED]
    assert len(names) == len(set(names))
    assert all(name.startswith(("CVE-", "GHSA-")) for name in names)


def test_envoy_is_asked_about_its_own_headers():
    controls = test_envoy.test_controls_of_envoy_are_not_the_clients.__doc__
    assert controls == CONTROLS


def test_every_case_has_a_name_of_its_own():
    names = collections.Counter(
        case.name for group in cases.TABLE.values() for case in group
    )
    assert [name for name, count in names.items() if count > 1] == []
    known = {(gateway, name) for gateway in GATEWAYS for name in names}
    assert set(DEVIATIONS) <= known


def test_the_document_names_every_file():
    text = tables.DOCUMENT.read_text(encoding="utf-8")
    for file in DEPLOY.iterdir():
        assert f"deploy/gateways/{file.name}" in text, file.name
