"""docs/writing-scenarios.md: it covers the whole language, and its examples are correct."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from page_examples import BLOCK, blocks_of, keys_of, keys_used_in, values_of
from printed_output import assert_printed

from arcrun_conformance.adapters.registry import read_registry
from arcrun_conformance.cli import FAILED, GO, main
from arcrun_conformance.documents import read
from arcrun_conformance.mutants import Programs, Trials
from arcrun_conformance.mutants import load as load_mutants
from arcrun_conformance.resources import checkout, data_directory, schema
from arcrun_conformance.scenarios.patterns import OPERATORS
from arcrun_conformance.scenarios.scenario import load
from arcrun_conformance.scenarios.template import BUILT_IN
from arcrun_conformance.target import Target, open_target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPOSITORY = checkout()
if REPOSITORY is None:
    pytest.skip("the page is in the repository only", allow_module_level=True)
PAGE = (REPOSITORY / "docs/writing-scenarios.md").read_text("utf-8")
ENGINE_PAGE = (REPOSITORY / "docs/writing-engine-scenarios.md").read_text("utf-8")
BLOCKS = blocks_of(PAGE)
CONSOLE = [text.splitlines() for kind, _, text in BLOCKS if kind == "console"]
TUTORIAL = "workflow-default-description"

# What a fragment leaves out is taken from here.
BASE: dict[str, Any] = {
    "id": "fragment",
    "title": "a fragment of the page",
    "spec": ["docs/contract.md#routes"],
    "steps": [{"id": "healthy", "call": "health", "expect": {"result": {"ok": True}}}],
    "wire": [{"id": "one-request", "where": {"path": "/health"}, "count": 1}],
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Target]:
    """Start the local engine, once for this module."""
    loop = asyncio.new_event_loop()
    stack = contextlib.AsyncExitStack()
    local = open_target("local", None, sys.executable)
    yield loop.run_until_complete(stack.enter_async_context(local))
    loop.run_until_complete(stack.aclose())
    loop.close()


def run(engine: Target, scenarios: Path, *arguments: str) -> int:
    given = ["run", "--target", engine.url, "--api-key", engine.api_key]
    return main([*given, "--scenarios", str(scenarios), *arguments])


def block(name: str) -> str:
    (text,) = (text for _, found, text in BLOCKS if found == name)
    return text


FRAGMENTS = [text for kind, name, text in BLOCKS if kind == "yaml" and not name]


@pytest.mark.parametrize("text", FRAGMENTS)
def test_each_fragment_is_valid(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fragment.yaml"
    path.write_text(yaml.safe_dump({**BASE, **yaml.safe_load(text)}, allow_unicode=True), "utf-8")
    load(path)


def test_the_real_scenario_is_shown_as_it_is() -> None:
    shown = block("creds-push-list")
    assert shown == (data_directory() / "scenarios/sdk/creds-push-list.yaml").read_text("utf-8")


@pytest.mark.parametrize("name", ["scenario", "gate", "mutants"])
def test_every_key_of_the_language_is_explained_and_has_an_example(name: str) -> None:
    used = set(keys_used_in(BLOCKS, except_named="addition"))
    prose = BLOCK.sub("", PAGE)
    for key in set(keys_of(schema(name))) - {"servers"}:  # docs/writing-engine-scenarios.md
        assert key in used, f"{key} has no example"
        assert re.search(rf"`[^`\n]*\b{key}\b[^`\n]*`", prose), key


def test_every_value_of_the_language_is_explained() -> None:
    for value in values_of(schema("scenario")):
        assert re.search(rf"`[^`\n]*\b{value}\b[^`\n]*`", PAGE), value


def test_every_operator_and_placeholder_is_explained() -> None:
    for operator in OPERATORS:
        assert f"`{operator}`" in PAGE, operator
    for name in BUILT_IN:
        assert f"`${{{name}}}`" in PAGE + ENGINE_PAGE, name


@pytest.mark.parametrize("name", ["gate.yaml", "mutants.yaml"])
def test_the_other_files_are_valid(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(block(name), "utf-8")
    read(path, path.stem)


@pytest.mark.parametrize(
    ("text", "console"),
    [(block("draft"), CONSOLE[0]), (block("draft") + block("addition"), CONSOLE[1])],
    ids=["draft", "complete"],
)
def test_the_tutorial_prints_what_the_page_shows(
    engine: Target,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    console: list[str],
) -> None:
    (tmp_path / f"{TUTORIAL}.yaml").write_text(text, "utf-8")
    prefix = "$ nox -s conformance -- "
    assert console[0].startswith(prefix)
    arguments = console[0].removeprefix(prefix).split()

    code = run(engine, tmp_path, *arguments)

    assert code == (GO if block("addition") in text else FAILED)
    assert_printed(console[1:], capsys.readouterr().out)


def test_the_real_scenario_passes(engine: Target, tmp_path: Path) -> None:
    (tmp_path / "creds-push-list.yaml").write_text(block("creds-push-list"), "utf-8")
    assert run(engine, tmp_path, "--sdk", "python-sync") == GO


async def test_the_mutants_of_the_page_are_caught(engine: Target, tmp_path: Path) -> None:
    path = tmp_path / f"{TUTORIAL}.yaml"
    path.write_text(block("draft") + block("addition"), "utf-8")
    (tmp_path / "mutants.yaml").write_text(block("mutants.yaml"), "utf-8")
    chinese = data_directory() / "scenarios/sdk/workflow-chinese.yaml"
    scenarios = {TUTORIAL: load(path), chinese.stem: load(chinese)}
    mutants = load_mutants(tmp_path / "mutants.yaml", scenarios)
    mutants = [mutant for mutant in mutants if mutant.kind != "javascript"]  # needs Node.js
    registry = read_registry(data_directory() / "adapters/adapters.yaml", sys.executable)
    defective = [sys.executable, str(data_directory() / "mutants/python_mutant.py")]
    programs = Programs(registry["python-sync"].command, defective, (), ())

    trials = await Trials(engine, scenarios, programs).run(mutants)

    assert [trial.good for trial in trials] == [True] * (1 + len(mutants))
