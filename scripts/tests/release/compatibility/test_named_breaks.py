from pathlib import Path

import pytest

from scripts.release import changelog
from scripts.release.compatibility.differences import Difference
from scripts.release.compatibility.named_breaks import unnamed

TEXT = """# Changelog

## [Unreleased]

- later

## [0.2.0] - 2026-11-25

### Changed

- **Breaking**: `creds.push` and `Creds.push` have no `value` any more:
  give `secret_text`.
- `creds.list` is faster.

## [0.1.0] - 2026-11-22

- **Breaking**: `creds.get`.
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "CHANGELOG.md").write_text(TEXT, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("symbol", "member", "is_named"),
    [
        ("creds.push", "value", True),
        ("Creds.push", "value", True),
        ("creds.push", "secretText", True),  # also on the second line, also in camel case
        ("creds.push", "have", False),  # a word of the text is no name
        ("creds.push", "val", False),
        ("creds.list", "", False),  # not in an item that says so
        ("creds.get", "", False),  # in another entry
    ],
)
def test_a_break_is_named_in_the_code_of_an_item_that_says_breaking(
    root: Path, symbol: str, member: str, is_named: bool
) -> None:
    difference = Difference("python", symbol, member, "was removed", breaking=True)
    missing = unnamed(changelog.text_of(root, "0.2.0"), [difference])
    assert missing == ([] if is_named else [difference])
