"""Texts that a terminal, a CI system, a markup or a table would obey, and what no output may contain."""

from __future__ import annotations

import re

import pytest

_TEXTS = {
    "escape sequence": "\x1b[2J\x1b]0;title\x07",
    "carriage return": "a\rb",
    "line feed": "a\n::error::x\nGO gate 1.0.0",
    "command": "::error::x",
    "command of another kind": "##[error]x",
    "end of a markup": "[/red]",
    "element": "<script>alert(1)</script>",
    "cell of a table": "a|b",
    "direction": "\u202egnp",
    "lone surrogate": "\ud800",
}
any_hostile = pytest.mark.parametrize("hostile", _TEXTS.values(), ids=_TEXTS)

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def assert_harmless(printed: str) -> None:
    """Assert that a terminal only shows a text, and that no CI system finds a command in it."""
    assert printed.strip()
    assert _UNSEEN.search(printed) is None
    assert re.search(r"^\s*::", printed, re.MULTILINE) is None
    assert "##[" not in printed
