"""A line of a file with a caret below the place."""

from __future__ import annotations

import pytest

pytest.importorskip("click")

from arcrun.cli.source import Source, width


def caret(text: str, line: int, column: int, columns: int = 80) -> tuple[str, int]:
    """The line that is shown, and the column of the caret in it, from 0."""
    lines = Source("f.yaml", text).excerpt({"line": line, "column": column}, columns)
    margin = lines[2].index("|") + 2
    return lines[2][margin:], lines[3].index("^") - margin


@pytest.mark.parametrize(
    ("text", "column", "before"),
    [
        ("abc", 3, "ab"),
        ("天氣：x", 4, "天氣："),
        ("\tabc", 2, "    "),
        ("e\u0301a", 3, "e\u0301"),  # a combining accent takes no column
        ("👍\ufe0fa", 3, "👍\ufe0f"),
        ("abc", 9, "abc"),  # behind the end of the line
    ],
)
def test_the_caret_stands_below_the_character(text, column, before) -> None:
    shown, at = caret(text, 1, column)
    assert shown.startswith(before)
    assert at == width(before)


@pytest.mark.parametrize("column", [1, 60, 250, 480, 500])
def test_a_long_line_is_cut_around_the_place(column) -> None:
    text = "".join(chr(ord("a") + n % 26) for n in range(500))
    shown, at = caret(text, 1, column, 60)
    assert width(shown) <= 60 - len("1 | ")
    assert shown[at] == text[column - 1]
    assert shown.startswith("…") is (column > 30)
    assert shown.endswith("…") is (column < 470)


@pytest.mark.parametrize("column", [1, 100, 200])
def test_a_long_line_of_wide_characters_is_cut_around_the_place(column) -> None:
    text = "天氣" * 100
    shown, at = caret(text, 1, column, 61)
    assert width(shown) <= 61 - len("1 | ")
    prefix = shown[: next(n for n in range(len(shown) + 1) if width(shown[:n]) >= at)]
    assert width(prefix) == at
    assert shown[len(prefix)] == text[column - 1]


def test_windows_line_ends_are_not_shown() -> None:
    assert caret("a: 1\r\nb: 2\r\n", 2, 4) == ("b: 2", 3)


def test_the_head_names_the_file_and_standard_input_as_such() -> None:
    assert Source("a.yaml", "x").excerpt({"line": 1, "column": 1}, 80)[0] == " --> a.yaml:1:1"
    assert Source("-", "x").excerpt({"line": 1, "column": 1}, 80)[0] == " --> <stdin>:1:1"


@pytest.mark.parametrize("detail", [{}, {"line": 0}, {"line": 3, "column": 1}, {"line": "1"}])
def test_a_fault_without_a_place_in_the_file_has_no_excerpt(detail) -> None:
    assert Source("a.yaml", "x\ny").excerpt(detail, 80) == []
