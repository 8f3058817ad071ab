"""Requirements quote their pages, and each of them is checked by a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from arcrun_conformance.documents import DocumentError
from arcrun_conformance.requirements import (
    Page,
    Requirement,
    covering,
    load_requirements,
    uncovered,
)
from arcrun_conformance.scenarios.scenario import Scenario, Suite, load

if TYPE_CHECKING:
    from pathlib import Path

PAGE = """# Title

- [Keys](#keys): [errors](#errors)

A key is needed. An unknown one is
refused with `401`.

| key | meaning |
|---|---|
| `a` | the first |

- an item
- another item
  of two lines

```yaml
not: a statement
```
"""
CONTRACT = "docs/contract.md"


def test_a_page_consists_of_sentences_items_and_rows() -> None:
    statements = Page(PAGE).statements
    assert [(s.line, s.text) for s in statements] == [
        (5, "A key is needed."),
        (5, "An unknown one is refused with `401`."),
        (10, "| `a` | the first |"),
        (12, "- an item"),
        (13, "- another item of two lines"),
    ]


def problems(tmp_path: Path, text: str) -> tuple[list[Requirement], str]:
    folder = tmp_path / "conformance/requirements"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text(text, "utf-8")
    requirements, found = load_requirements(folder, {CONTRACT: Page(PAGE)})
    return requirements, "\n".join(map(str, found))


def test_all_statements_are_quoted(tmp_path: Path) -> None:
    requirements, found = problems(
        tmp_path,
        """
requirements:
  - {id: key-needed, page: docs/contract.md, quote: A key is needed.}
  - {id: unknown-refused, page: docs/contract.md, quote: "one is\\n refused with `401`"}
  - {id: sdk-sends, page: docs/contract.md, quote: "| `a` | the first |", by: sdk}
informative:
  - {page: docs/contract.md, quote: an item}
  - {page: docs/contract.md, quote: another item of two}
""",
    )
    assert found == ""
    assert [(each.id, each.by) for each in requirements] == [
        ("key-needed", "engine"),
        ("unknown-refused", "engine"),
        ("sdk-sends", "sdk"),
    ]


def test_a_changed_a_doubled_and_a_forgotten_statement_are_reported(tmp_path: Path) -> None:
    _, found = problems(
        tmp_path,
        """
requirements:
  - {id: twice, page: docs/contract.md, quote: no longer there}
  - {id: twice, page: docs/contract.md, quote: item}
""",
    )
    assert "the quote stands nowhere in docs/contract.md: no longer there" in found
    assert "the quote stands 2 times in docs/contract.md: item" in found
    assert "the id twice is used twice" in found
    assert "docs/contract.md:5: no requirement is about: A key is needed." in found
    assert "no requirement is about: - an item" not in found


def test_a_statement_that_two_requirements_of_a_side_quote_is_reported(tmp_path: Path) -> None:
    _, found = problems(
        tmp_path,
        """
requirements:
  - {id: unknown, page: docs/contract.md, quote: An unknown one is refused with `401`.}
  - {id: status, page: docs/contract.md, quote: refused with `401`}
  - {id: needed, page: docs/contract.md, quote: A key is needed.}
  - {id: needed-again, page: docs/contract.md, quote: A key is needed.}
  - {id: first-half, page: docs/contract.md, quote: "| `a` |"}
  - {id: second-half, page: docs/contract.md, quote: "| the first |"}
  - {id: of-sdks, page: docs/contract.md, quote: an item, by: sdk}
  - {id: of-engines, page: docs/contract.md, quote: an item}
informative:
  - {page: docs/contract.md, quote: another item of two lines}
""",
    )
    assert [line.split(": ", 1)[1] for line in found.splitlines() if "quotes this too" in line] == [
        "unknown quotes this too: refused with `401`",
        "needed quotes this too: A key is needed.",
    ]


def scenario(tmp_path: Path, suite: Suite, covers: str) -> Scenario:
    path = tmp_path / f"of-{suite}.yaml"
    step = "{id: x, send: /health, expect: {status: 200}}"
    if suite == "sdk":
        step = "{id: x, call: health, expect: {result: {}}}"
    wire = "wire: [{id: one, where: {path: /health}}]\n" if suite == "sdk" else ""
    path.write_text(
        f"id: {path.stem}\ntitle: t\nspec: [docs/contract.md#accounts]\n{wire}"
        f"steps: [{step[:-1]}, covers: [{covers}]}}]\n",
        "utf-8",
    )
    return load(path, suite)


def test_a_requirement_of_sdks_needs_a_scenario_of_the_sdk_suite(tmp_path: Path) -> None:
    of_sdks = Requirement("a", CONTRACT, "q", "sdk")
    of_engines = Requirement("b", CONTRACT, "q")
    both = [of_sdks, of_engines]
    assert uncovered(both, [scenario(tmp_path, "engine", "a, b")]) == [of_sdks]
    assert uncovered(both, [scenario(tmp_path, "sdk", "a, b")]) == []
    assert covering(both, [scenario(tmp_path, "sdk", "a")]) == {"a": ["of-sdk/x"], "b": []}


def test_a_scenario_must_not_name_what_is_no_requirement(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="of-sdk/x covers gone, which is no requirement"):
        covering([], [scenario(tmp_path, "sdk", "gone")])
