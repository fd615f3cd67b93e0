"""docs/gateways.md says what the tests have seen."""

import collections

from . import cases, tables
from .deviations import DEVIATIONS
from .gateway import DEPLOY, GATEWAYS


def test_the_tables_are_those_of_the_tests():
    """If not, run `python -m gateways.tables` in tests/e2e."""
    text = tables.DOCUMENT.read_text(encoding="utf-8")
    assert text == tables.with_tables(text)


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
