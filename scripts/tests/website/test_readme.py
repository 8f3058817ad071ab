"""The tables of the README are those of the engine, and a difference is noticed."""

import ast
import re
from pathlib import Path

import pytest

from scripts.website import readme
from scripts.website.catalog import catalog

TEXT = "a\n<!-- components -->\nold\n<!-- end of components -->\nb\n"


def rows_of(name: str) -> list[list[str]]:
    text = readme.README.read_text("utf-8")
    table = text.partition(f"<!-- {name} -->")[2].partition(f"<!-- end of {name} -->")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the README, which the command reads and writes in its place."""
    copy = tmp_path / "README.md"
    copy.write_bytes(readme.README.read_bytes())
    monkeypatch.setattr(readme, "README", copy)
    return copy


def test_the_tables_have_what_the_engine_has() -> None:
    found = catalog()
    components = [
        [entry["canonical_id"], entry["name"]["en"], entry["name"]["zh"], entry["category"]]
        for entry in found["components"]
    ]
    shown = [[re.findall(r"`(\w+)`", place)[0], *rest] for place, *rest, _ in rows_of("components")]
    assert shown == components
    services = [
        [
            entry["service"],
            entry["name"]["en"],
            [(secret["key"], secret["help_url"]) for secret in entry["secrets"]],
        ]
        for entry in found["services"]
    ]
    assert [
        [row[0].strip("`"), row[1].removesuffix(" (ended)"), links_of(row[4])]
        for row in rows_of("services")
    ] == services


def links_of(cell: str) -> list[tuple[str, str]]:
    return re.findall(r"\[`(\w+)`\]\((\S+?)\)", cell)


def test_a_service_that_has_ended_is_said_to_have() -> None:
    (name,) = (row[1] for row in rows_of("services") if row[0] == "`line_notify`")
    assert name == "LINE Notify (ended)"


def test_the_committed_tables_are_up_to_date() -> None:
    assert readme.main(["--check"]) == 0


@pytest.mark.parametrize(
    ("old", "new"), [("| logic |", "| data |"), ("| `github` |", "| `gitlab` |")]
)
def test_a_difference_is_noticed_and_the_command_mends_it(
    old: str, new: str, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = page.read_text("utf-8")
    page.write_text(before.replace(old, new, 1), "utf-8")
    assert readme.main(["--check"]) == 1
    assert "run python -m scripts.website.readme" in capsys.readouterr().err
    assert page.read_text("utf-8") != before
    assert readme.main([]) == 0
    assert page.read_text("utf-8") == before


def test_a_page_without_a_place_for_a_table_is_refused(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page.write_text(page.read_text("utf-8").replace("<!-- end of services -->", ""), "utf-8")
    assert readme.main(["--check"]) == 1
    assert "<!-- services -->" in capsys.readouterr().err


def test_a_component_without_a_text_is_named() -> None:
    with pytest.raises(ValueError, match=r"summaries\.ts lacks wait"):
        readme.component_table([readme.Component("wait", "等待 Wait", "logic")], {})


def test_a_contract_of_another_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("CONTRACT = made(1)\n", "utf-8")
    with pytest.raises(ValueError, match=r"made\(1\)"):
        readme.components(tmp_path)


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    written = readme.with_tables(TEXT, {"components": "new\n"})
    assert written == TEXT.replace("old", "new")


def test_the_readme_is_read_without_the_engine() -> None:
    tree = ast.parse(Path(readme.__file__).read_text("utf-8"))
    imported = {each.module for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)}
    assert not {name for name in imported if str(name).startswith(("arcrun", "scripts.engine"))}
