"""Read CHANGELOG.md: an entry for each version, in the format of Keep a Changelog."""

from __future__ import annotations

import datetime as dt
import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from markdown_it import MarkdownIt

from scripts.release.foreign import in_a_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from markdown_it.token import Token

FILE = "CHANGELOG.md"

_HEADING = re.compile(
    r"\[(?P<name>[^\]\s]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2})(?: \[YANKED\])?)?", re.ASCII
)
# What a reader of the page does not see, or sees as an example.
_NOT_SAID = ("html_block", "fence", "code_block")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


class ChangelogInvalid(Exception):
    """The changelog can't be read, or a heading in it is that of no entry; the message names file and line."""


class Entry(NamedTuple):
    """What the changelog says of a version.

    Attributes:
        name: The version, or `Unreleased`.
        date: The day of its release; None if its heading has none.
        text: What is below its heading, without code blocks and comments.
        says_something: Whether there is more than headings in it.
    """

    name: str
    date: dt.date | None
    text: str
    says_something: bool


def entries(root: Path) -> list[Entry]:
    """Return the entries of a checkout's changelog, as they stand in it: the newest first.

    Headings in code blocks and in comments are none.

    Raises:
        ChangelogInvalid: It can't be read; a heading of the second level is none of an entry; a date does not exist or
            is in the future; or a version has two entries.
    """
    try:
        text = (root / FILE).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ChangelogInvalid(f"{FILE} can't be read: {error}") from None
    tokens = MarkdownIt().parse(text)
    lines = _without(_NOT_SAID, tokens, text.split("\n"))
    headings = [index for index, each in enumerate(tokens) if _is_heading(each)]
    found: list[Entry] = []
    for index, end in zip(headings, [*headings[1:], len(tokens)], strict=False):
        first, last = (
            _lines(tokens[index])[1],
            _lines(tokens[end])[0] if end < len(tokens) else None,
        )
        name, date = _named(tokens[index + 1], [each.name for each in found])
        above = [each.date for each in found if each.date]
        if date and above and date > above[-1]:
            line = _lines(tokens[index])[0] + 1
            raise ChangelogInvalid(
                f"{FILE}:{line}: {in_a_line(name)} is newer than the entry above"
            )
        said = _COMMENT.sub("", "\n".join(lines[first:last]))
        found.append(Entry(name, date, said, any(_texts(tokens[index + 3 : end]))))
    return found


def released(root: Path) -> list[str]:
    """Return the versions that have an entry with a date, the newest first.

    Raises:
        ChangelogInvalid: As `entries`.
    """
    return [each.name for each in entries(root) if each.date]


def text_of(root: Path, name: str) -> str:
    """Return what the changelog says of a version, or of `Unreleased`; empty if there is no entry.

    Raises:
        ChangelogInvalid: As `entries`.
    """
    return next((each.text for each in entries(root) if each.name == name), "")


def _is_heading(token: Token) -> bool:
    return token.type == "heading_open" and token.tag == "h2" and token.level == 0


def _lines(token: Token) -> Sequence[int]:
    """Return the first line of a block, and that behind its last one, counted from 0."""
    assert token.map is not None  # noqa: S101 - every block has them
    return token.map


def _without(types: Sequence[str], tokens: Sequence[Token], lines: list[str]) -> list[str]:
    """Return lines of which those of such blocks are empty."""
    for token in tokens:
        if token.type in types:
            first, last = _lines(token)
            lines[first:last] = [""] * len(lines[first:last])
    return lines


def _named(heading: Token, before: Sequence[str]) -> tuple[str, dt.date | None]:
    """Return version and date of a heading.

    Raises:
        ChangelogInvalid: It has none, or a version that was there before.
    """
    where = f"{FILE}:{_lines(heading)[0] + 1}"
    match = _HEADING.fullmatch(heading.content)
    if not match:
        raise ChangelogInvalid(
            f"{where}: `## {in_a_line(heading.content)}` is no heading of an entry: "
            "write `## [X.Y.Z] - YYYY-MM-DD`, or `## [Unreleased]`"
        )
    if match["name"] in before:
        raise ChangelogInvalid(
            f"{where}: there are two entries for {in_a_line(match['name'])}: merge them"
        )
    return match["name"], _date(match["date"], where) if match["date"] else None


def _date(text: str, where: str) -> dt.date:
    try:
        date = dt.date.fromisoformat(text)
    except ValueError:
        raise ChangelogInvalid(f"{where}: there is no day {text}") from None
    # Where it is tomorrow already, somebody may have written this.
    if date > dt.datetime.now(dt.timezone.utc).date() + dt.timedelta(days=1):
        raise ChangelogInvalid(f"{where}: {text} is in the future: write the day of the release")
    return date


def _texts(tokens: Sequence[Token]) -> Iterator[str]:
    """Yield the paragraphs and items that say something; a heading does not."""
    for before, token in pairwise(tokens):
        if token.type == "inline" and before.type != "heading_open":
            yield from (each.content for each in token.children or () if _is_text(each))


def _is_text(token: Token) -> bool:
    """Return whether a reader sees a letter or a digit of it."""
    return token.type in {"text", "text_special", "code_inline"} and any(
        map(str.isalnum, token.content)
    )
