"""Requirements: what the pages of the contract promise, and which scenarios check each promise.

A requirement quotes its page. So a sentence that is changed, and one that is added, are noticed: the quote
is no longer found, or no quote is about the sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .documents import Document, DocumentError, Problem, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from .scenarios.scenario import Scenario

PAGES = (
    "docs/contract.md",
    "docs/workflow-language.md",
    "docs/components.md",
    "docs/prompt-recipes.md",
)
_FENCE = re.compile(r"^(```|~~~)")
_SEPARATOR = re.compile(r"^\|[\s:|-]+\|$")
_ITEM = re.compile(r"^(?:[-*+]|\d+\.) ")
# After the end of a sentence another one begins; abbreviations of the pages are followed by lower case.
_SENTENCE_END = re.compile(r"(?<=[.!?:])(?=\s[A-Z`*\"“{\[])")
_LINKS_ONLY = re.compile(r"^(?:[-*+] )?(?:\[[^\]]*\]\([^)]*\)[,:;.]?\s*)+$")


@dataclass(frozen=True)
class Requirement:
    """One promise of a page.

    Attributes:
        id: Its name, which never changes.
        page: The page, below the repository.
        quote: The text of the page.
        by: Whether engines or SDKs have to keep it.
    """

    id: str
    page: str
    quote: str
    by: Literal["engine", "sdk"] = "engine"


@dataclass(frozen=True)
class Statement:
    """A sentence, a list item or a row of a table: its position in the page's text, and its line."""

    start: int
    end: int
    line: int
    text: str


class Page:
    r"""A page without headings, code and white space, in which quotes are looked up.

    Args:
        text: The page in Markdown.

    Example:
        >>> page = Page("# Keys\n\nA key is\nneeded. A revoked one is refused.\n")
        >>> [statement.text for statement in page.statements]
        ['A key is needed.', 'A revoked one is refused.']
    """

    def __init__(self, text: str) -> None:
        self.text = ""
        self.statements: list[Statement] = []
        for line, block in _blocks(text):
            start = len(self.text)
            self.text += block + "\n"
            if not _LINKS_ONLY.match(block):
                self._split(block, start, line)

    def _split(self, block: str, start: int, line: int) -> None:
        position = 0
        for end in [*(match.start() for match in _SENTENCE_END.finditer(block)), len(block)]:
            text = block[position:end]
            stripped = text.strip()
            if re.search(r"\w", stripped):
                offset = start + position + text.index(stripped)
                self.statements.append(Statement(offset, offset + len(stripped), line, stripped))
            position = end

    def find(self, quote: str) -> list[tuple[int, int]]:
        """Return where a quote begins and ends, each time that it occurs."""
        wanted = re.sub(r"\s+", " ", quote.strip())
        return [(m.start(), m.end()) for m in re.finditer(re.escape(wanted), self.text)]

    def without_quote(self, quoted: Sequence[tuple[int, int]]) -> list[Statement]:
        """Return the statements that no quote is about."""
        return [
            statement
            for statement in self.statements
            if not any(start < statement.end and statement.start < end for start, end in quoted)
        ]


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Yield paragraphs, list items and rows of tables, each on one line, with the number of its first line."""
    block: list[str] = []
    first = 0
    fenced = False
    header = False
    for number, raw in enumerate([*text.splitlines(), ""], start=1):
        line = raw.strip()
        if _FENCE.match(line):
            fenced = not fenced
            line = ""
        elif fenced:
            continue
        row = line.startswith("|")
        if (not line or row or line.startswith(("#", "<!--")) or _ITEM.match(line)) and block:
            yield first, " ".join(" ".join(block).split())
            block = []
        if row:
            # The first row of a table names its columns; the second one separates.
            if header and not _SEPARATOR.match(line):
                yield number, " ".join(line.split())
            header = True
            continue
        header = False
        if line and not line.startswith(("#", "<!--")):
            block = block or []
            first = first if block else number
            block.append(line)


def load_requirements(
    directory: Path, pages: Mapping[str, Page]
) -> tuple[list[Requirement], list[Problem]]:
    """Read the requirements of a folder, and compare them with the pages.

    Args:
        directory: The folder of the files.
        pages: The pages, by their paths below the repository.

    Returns:
        The requirements, and a problem for each quote that is not found once, each id that is used twice,
        each quote that stands within that of another requirement of the same side, and each statement of
        a page that no quote is about.

    Raises:
        DocumentError: A file is invalid.
    """
    found: dict[str, Requirement] = {}
    problems: list[Problem] = []
    quoted: dict[str, list[tuple[int, int]]] = {name: [] for name in pages}
    placed: list[_Placed] = []
    for path in sorted(directory.glob("*.yaml")):
        document = read(path, "requirements")
        for pointer, entry in _entries(document):
            places = pages[entry["page"]].find(entry["quote"])
            if len(places) != 1:
                often = "nowhere" if not places else f"{len(places)} times"
                message = f"the quote stands {often} in {entry['page']}: {entry['quote']}"
                hint = "Quote the page as it is now, in words that stand there once."
                problems.append(document.problem(pointer, message, hint))
            quoted[entry["page"]] += places
            if "id" in entry:
                if entry["id"] in found:
                    message = f"the id {entry['id']} is used twice"
                    problems.append(document.problem(pointer, message))
                requirement = found[entry["id"]] = Requirement(**entry)
                placed += [_Placed(requirement, place, document, pointer) for place in places[:1]]
    problems += _quoted_twice(placed)
    for name, page in pages.items():
        for statement in page.without_quote(quoted[name]):
            hint = "Add a requirement, or list it as informative."
            message = f"no requirement is about: {statement.text}"
            problems.append(Problem(directory.parents[1] / name, statement.line, message, hint))
    return list(found.values()), problems


@dataclass(frozen=True)
class _Placed:
    """A requirement, where its quote stands in the page, and where it stands itself."""

    requirement: Requirement
    place: tuple[int, int]
    document: Document
    pointer: list[str | int]

    def is_within(self, other: _Placed) -> bool:
        """Return whether the other requirement, of the same side, quotes all of this one's quote."""
        mine, others = self.requirement, other.requirement
        return (
            (mine.page, mine.by) == (others.page, others.by)
            and other.place[0] <= self.place[0]
            and self.place[1] <= other.place[1]
        )


def _quoted_twice(placed: Sequence[_Placed]) -> Iterator[Problem]:
    """Yield a problem for each requirement whose quote stands within the quote of another one."""
    for index, inner in enumerate(placed):
        for position, outer in enumerate(placed):
            same = inner.place == outer.place and position > index
            if position != index and inner.is_within(outer) and not same:
                message = f"{outer.requirement.id} quotes this too: {inner.requirement.quote}"
                hint = "Keep one requirement for each statement."
                yield inner.document.problem(inner.pointer, message, hint)


def _entries(document: Document) -> Iterator[tuple[list[str | int], dict[str, Any]]]:
    for part in ("requirements", "informative"):
        for index, entry in enumerate(document.value.get(part, ())):
            yield [part, index], entry


def covering(
    requirements: Sequence[Requirement], scenarios: Sequence[Scenario]
) -> dict[str, list[str]]:
    """Return the checks that cover each requirement: `SCENARIO`, or `SCENARIO/CHECK`.

    Raises:
        DocumentError: A scenario names a requirement that does not exist.
    """
    table: dict[str, list[str]] = {requirement.id: [] for requirement in requirements}
    problems = []
    for scenario in scenarios:
        for name, check in scenario.covering_checks():
            if name in table:
                table[name].append(check)
            else:
                message = f"{check} covers {name}, which is no requirement"
                problems.append(Problem(scenario.path, None, message))
    if problems:
        raise DocumentError(problems)
    return table


def uncovered(
    requirements: Sequence[Requirement], scenarios: Sequence[Scenario]
) -> list[Requirement]:
    """Return the requirements that no scenario checks: for one of SDKs, no scenario of the SDK suite."""
    table = covering(requirements, scenarios)
    suites = {scenario.id: scenario.suite for scenario in scenarios}

    def is_covered(requirement: Requirement) -> bool:
        by = {suites[check.split("/")[0]] for check in table[requirement.id]}
        return bool(by) if requirement.by == "engine" else "sdk" in by

    return [requirement for requirement in requirements if not is_covered(requirement)]
