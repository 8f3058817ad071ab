"""The parser of placeholders: what it finds, compared with a definition, and how much work it does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.engine.placeholders import (
    Placeholder,
    as_empty,
    as_written,
    fill_text,
    only_placeholder,
    parse,
    scan,
)

TEXTS = st.text(alphabet="{} .a中\n", max_size=60)


def found_by_definition(text: str) -> list[Placeholder]:
    """Try every position in turn: a slow way to write down what a placeholder is."""
    found = []
    start = 0
    while start < len(text):
        for end in range(start + 4, len(text) + 1):
            source = text[start:end]
            inside = source[2:-2]
            if source[:2] == "{{" and source[-2:] == "}}" and not set(inside) & set("{}"):
                found.append(Placeholder(source, start))
                start = end
                break
        else:
            start += 1
    return found


@given(TEXTS)
def test_the_scanner_finds_what_the_definition_says(text: str) -> None:
    assert list(scan(text)) == found_by_definition(text)


@given(TEXTS)
def test_the_scanner_agrees_with_a_regular_expression(text: str) -> None:
    expected = [(match[0], match.start()) for match in re.finditer(r"\{\{[^{}]*\}\}", text)]
    assert [(placeholder.source, placeholder.start) for placeholder in scan(text)] == expected


@given(TEXTS)
def test_parsing_loses_no_text(text: str) -> None:
    parts = parse(text)
    assert "".join(part if isinstance(part, str) else part.source for part in parts) == text
    assert "" not in parts


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{{a}}", ["a"]),
        ("{{ 讀.t }}/{{\t讀.t\n}}", ["讀.t", "讀.t"]),
        ("{{{a}}}", ["a"]),
        ("{{{{a}}}}", ["a"]),
        ("{{a {{b}}", ["b"]),
        ("{{a} {{b}}", ["b"]),
        ("{{a}}}}{{b}}", ["a", "b"]),
        ("{ {a}} {{b} }", []),
        ("{{}}", [""]),
        ("{{ }}", [""]),
        ("{{", []),
        ("}}", []),
        ("{{a", []),
        ("", []),
    ],
)
def test_what_is_a_placeholder(text: str, names: list[str]) -> None:
    assert [placeholder.name for placeholder in scan(text)] == names


def test_empty_braces_are_plain_text_to_who_fills() -> None:
    assert parse("{{}} {{a}}") == ("{{}} ", Placeholder("{{a}}", 5))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{{a}}", "a"),
        (" \n{{ a.b }}\t", "a.b"),
        ("x {{a}}", None),
        ("{{a}}{{b}}", None),
        ("", None),
    ],
)
def test_a_placeholder_may_be_alone_but_for_white_space(text: str, name: str | None) -> None:
    placeholder = only_placeholder(parse(text))
    assert (placeholder.name if placeholder else None) == name


def test_what_a_missing_value_means_is_a_parameter() -> None:
    def refuse(placeholder: Placeholder) -> str:
        raise LookupError(placeholder.name)

    def look_up(placeholder: Placeholder) -> str | None:
        return {"a": "甲"}.get(placeholder.name)

    assert fill_text("{{a}}-{{ b }}", look_up, as_written) == "甲-{{ b }}"
    assert fill_text("{{a}}-{{ b }}", look_up, as_empty) == "甲-"
    with pytest.raises(LookupError, match="b"):
        fill_text("{{a}}-{{ b }}", look_up, refuse)


@given(TEXTS, TEXTS)
def test_what_is_put_in_is_not_parsed(before: str, value: str) -> None:
    text = before.replace("{", "").replace("}", "") + "{{x}}"
    assert fill_text(text, lambda _: value, as_empty) == text[:-5] + value


class CountingText(str):
    """A text that counts the characters that are looked at in it."""

    __slots__ = ("visited",)

    visited: int

    def find(self, wanted: str, start: Any = 0, end: Any = None) -> int:  # type: ignore[override]
        stop = len(self) if end is None else end
        found = super().find(wanted, start, stop)
        self.visited += (stop if found < 0 else found + len(wanted)) - start
        return found


def work(text: str) -> int:
    counting = CountingText(text)
    counting.visited = 0
    list(scan(counting))
    return counting.visited


@pytest.mark.parametrize(
    ("head", "unit", "tail"),
    [
        ("{{", " ", "}"),
        ("{{", " ", "}}"),
        ("", "{{", ""),
        ("", "{{ ", "}"),
        ("", "{{a}", ""),
        ("", "{", "}"),
        ("", "}", ""),
        ("", "{{a}}", ""),
        ("", "{{a {", "}}"),
        ("", "{}", ""),
    ],
)
def test_the_work_grows_linearly_with_the_text(head: str, unit: str, tail: str) -> None:
    small, large = (work(head + unit * count + tail) for count in (2_000, 200_000))
    assert large <= 110 * small
    assert large <= 4 * (len(head + tail) + len(unit) * 200_000)
