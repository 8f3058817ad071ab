"""The step or check that failed, in the source of its scenario."""

from __future__ import annotations

import pytest
from page_script import evaluated, node

pytestmark = pytest.mark.skipif(node() is None, reason="Node.js is not installed")

BEFORE = "id: one\nwire:\n  - {id: ab, count: 1}\n"
AFTER = "  - id: b\n    count: 3\n"


def parts(source: str) -> list[str]:
    found: list[str] = evaluated("page_source.js", 'partsOfSource(source, "a")', source=source)
    return found


@pytest.mark.parametrize(
    "entry",
    [
        "  - id: a\n    count: 2\n    where:\n      - {id: inner}\n",
        "  - {id: a, count: 2}\n",
        "  - {id: a}\n",
    ],
    ids=["block", "flow", "nothing else"],
)
def test_an_entry_is_found_by_its_id_with_all_that_belongs_to_it(entry: str) -> None:
    before, found, after = parts(BEFORE + entry + AFTER)
    assert (before, found, after.rstrip("\n")) == (BEFORE, entry, AFTER.rstrip("\n"))


def test_the_last_entry_ends_with_the_source() -> None:
    assert parts(BEFORE + "  - id: a\n    count: 2") == [BEFORE, "  - id: a\n    count: 2\n", ""]


def test_a_source_without_the_id_is_one_part() -> None:
    assert parts(BEFORE + AFTER) == [BEFORE + AFTER, "", ""]
