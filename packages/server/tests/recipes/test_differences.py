"""The difference between two texts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from arcrun_server.recipes import differences
from arcrun_server.recipes.differences import unified_diff

if TYPE_CHECKING:
    import pytest


def test_texts_that_are_alike_have_no_difference() -> None:
    assert unified_diff("甲\n乙", "甲\n乙", "1", "2") == ""


def test_a_changed_line_stands_between_its_neighbours() -> None:
    assert unified_diff("a\nb\nc\n", "a\nB\nc\n", "1", "2") == (
        "--- 1\n+++ 2\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"
    )


def test_a_text_without_a_line_break_at_its_end_is_shown_with_one() -> None:
    assert unified_diff("a", "b", "1", "2").endswith("-a\n+b\n")


def test_very_many_lines_are_shown_as_one_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differences, "MAX_COMPARISONS", 3)
    assert unified_diff("a\nb\nc\nd\n", "a\nX\nY\nd\n", "1", "2") == (
        "--- 1\n+++ 2\n@@ -2,2 +2,2 @@\n-b\n-c\n+X\n+Y\n"
    )
    assert unified_diff("a\na\na\n", "a\na\n", "1", "2") == "--- 1\n+++ 2\n@@ -3,1 +3,0 @@\n-a\n"
    assert unified_diff("a\nb\n", "a\nb\n", "1", "2") == ""


def test_the_worst_texts_take_no_longer_than_their_size_asks_for() -> None:
    one, other = "\n".join("ab" * 60_000), "\n".join("ba" * 60_000)
    started = time.process_time()
    assert unified_diff(one, other, "1", "2")
    assert time.process_time() - started < 5
