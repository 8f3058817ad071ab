"""The examples of README and docstrings run, against the reference server."""

from __future__ import annotations

import ast
import contextlib
import doctest
import inspect
import io
import json
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import arcrun
from arcrun._async import auth as async_auth
from arcrun._async import client as async_client
from arcrun._async import components as async_components
from arcrun._async import creds as async_creds
from arcrun._async import recipes as async_recipes
from arcrun._async import workflows as async_workflows
from arcrun._core import errors, origins, placeholders, recipe_names, sealing
from arcrun._sync import auth, client, components, creds, recipes, workflows

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
MODULES = {
    "sync": [
        client,
        auth,
        creds,
        workflows,
        recipes,
        components,
        errors,
        origins,
        placeholders,
        recipe_names,
        sealing,
    ],
    "async": [
        async_client,
        async_auth,
        async_creds,
        async_workflows,
        async_recipes,
        async_components,
    ],
}
CASES = [
    pytest.param(name, test, id=f"{name}-{test.name.rpartition('arcrun.')[2]}")
    for name, modules in MODULES.items()
    for module in modules
    for test in doctest.DocTestFinder(exclude_empty=True).find(module)
    if test.examples
]


GREET = {
    "name": "greet",
    "inputs": [{"var": "name", "from": "input.name"}],
    "prompt_assembly": {"user": "向 {{name}} 問好"},
    "tests": [
        {
            "name": "小明",
            "inputs": {"name": "小明"},
            "expect": {"contains": ["向 小明 問好"]},
        }
    ],
}


# One for each test.
ACCOUNTS = 250


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The reference server, in a process of its own."""
    command = [sys.executable, "-m", "arcrun_server", "serve", "--port", "0", "--dev", "--json"]
    command += ["--keys", str(ACCOUNTS), "--until-stdin-closes"]
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr
        )
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            yield {"url": ready["url"], "keys": iter(ready["keys"])}
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()
            if process.stdin:
                process.stdin.close()


@pytest.fixture
def settings(engine, monkeypatch) -> None:
    monkeypatch.setenv("ARCRUN_BASE_URL", engine["url"])
    monkeypatch.setenv("ARCRUN_API_KEY", next(engine["keys"]))


@pytest.fixture
def stored(settings) -> None:
    """Store in a new account what the docstrings assume: a secret, a workflow that has run, a recipe with a label."""
    document = {
        "flow": ["input >> 完成後 >> 大寫"],
        "config": {"大寫": {"component": "comp_uppercase"}},
    }
    with arcrun.Arcrun() as own:
        own.auth.setup("notion", notion_token="ntn_123")
        own.workflows.push("greet", document)
        own.workflows.run("greet", {"text": "x"})
        own.recipes.push(GREET)
        own.recipes.label("greet", "production", 1)


def run_statement(source: str, names: dict[str, Any], loop: Any) -> str:
    """Run one statement as the interactive interpreter does; `await` is allowed anywhere."""
    code = compile(source, "<example>", "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        result = types.FunctionType(code, names)()
        if inspect.iscoroutine(result):
            loop.run_until_complete(result)
    return shown.getvalue()


@pytest.mark.parametrize(("name", "test"), CASES)
def test_examples_of_docstrings(name, test, kind, stored) -> None:
    if name != kind.name:
        return
    names = {
        **vars(arcrun),
        **test.globs,
        "Arcrun": arcrun.Arcrun,
        "AsyncArcrun": arcrun.AsyncArcrun,
    }
    names["client"] = kind.keep(kind.client_class())
    for example in test.examples:
        got = run_statement(example.source, names, kind.loop)
        assert doctest.OutputChecker().check_output(example.want, got, 0), (
            f"{example.source}gave {got!r}, not {example.want!r}"
        )
    if "notion" in names:
        kind.keep(names["notion"])


def public_methods() -> list[tuple[str, Any]]:
    classes = [
        client.Arcrun,
        auth.Auth,
        creds.Creds,
        workflows.Workflows,
        recipes.Recipes,
        components.Components,
    ]
    return [
        (f"{cls.__name__}.{name}", method)
        for cls in classes
        for name, method in inspect.getmembers(cls, inspect.isfunction)
        if not name.startswith("_") and name not in {"push_secret", "close"}
    ]


@pytest.mark.parametrize(("name", "method"), public_methods())
def test_every_public_method_documents_its_arguments_errors_and_an_example(name, method) -> None:
    text = inspect.getdoc(method)
    for parameter in inspect.signature(method).parameters:
        if parameter != "self":
            assert re.search(rf"^    (\*\*)?{parameter}: ", text, re.MULTILINE), parameter
    assert "Example:\n    >>> " in text
    if name not in {"Arcrun.with_options", "Arcrun.with_raw_response"}:
        assert "Raises:\n" in text


def test_examples_of_the_readme(settings) -> None:
    blocks = re.findall(r"^```(\w+)( no-run)?\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"__name__": "readme"}
    shown: str | None = None
    ran = 0
    for language, no_run, text in blocks:
        if language == "python" and not no_run:
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile(text, "README.md", "exec"), names)
            shown = output.getvalue()
            ran += 1
        elif language == "text":
            assert shown == text
            shown = None
    assert ran == 3


def test_the_readme_compiles_where_it_is_not_run() -> None:
    for text in re.findall(r"^```python no-run\n(.*?)^```", README, re.MULTILINE | re.DOTALL):
        compile(text, "README.md", "exec")
