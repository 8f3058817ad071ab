"""Every error of a command: its code is explained, and its text can be said in both languages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import arcrun
from arcrun.cli.chinese import CHINESE
from arcrun.cli.messages import translated, use
from arcrun.commands.error_codes import EXPLANATIONS
from arcrun.commands.errors import CommandError
from arcrun.commands.parameters import check_arguments, parameters_of
from arcrun.commands.sentences import sentence
from arcrun.commands.table import command_named

SOURCES = Path(arcrun.__file__).parent
TRANSLATES = {"sentence", "text", "message"}
# Texts that are made elsewhere, by module and name; those of an engine or of the SDK stay as they were written.
MADE_ELSEWHERE = {
    "app": {"undone + text(': confirm it with --yes')"},
    "arguments": {"text"},
    "capabilities": {"message", "_without_sealing(hosted)"},
    "development": {"one if errors == 1 else more"},
    "errors": {"message"},
    "failures": {"message", "_usage_text(error, context)"},
    "knowledge": {"error.message"},
    "login": {"_REFUSALS[code]"},
    "pages": {"message"},
    "project_steps": {"message"},
    "recipes": {"message"},
    "workflows": {"message", "problem"},
}


def errors_in(*folders: str) -> Iterator[tuple[str, ast.Call]]:
    """The calls that make an error, with the name of their module."""
    for folder in folders:
        for path in sorted((SOURCES / folder).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "CommandError":
                    yield path.stem, node


def literals(node: ast.expr) -> Iterator[str]:
    """The texts that an expression can be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*literals(node.body), *literals(node.orelse))
    elif isinstance(node, ast.BoolOp):
        for each in node.values:
            yield from literals(each)


def is_translated(module: str, message: ast.expr) -> bool:
    if isinstance(message, ast.Call) and getattr(message.func, "id", "") in TRANSLATES:
        return isinstance(message.args[0], ast.Constant) and message.args[0].value in CHINESE
    return ast.unparse(message) in MADE_ELSEWHERE.get(module, set())


def test_every_error_of_a_command_has_its_chinese() -> None:
    calls = list(errors_in("commands", "cli"))
    assert len(calls) > 70
    english = [
        f"{module}: {ast.unparse(call.args[1])}"
        for module, call in calls
        if not is_translated(module, call.args[1])
    ]
    assert english == []


def test_what_is_made_elsewhere_is_still_there() -> None:
    used = {(module, ast.unparse(call.args[1])) for module, call in errors_in("commands", "cli")}
    listed = {(module, text) for module, texts in MADE_ELSEWHERE.items() for text in texts}
    assert listed - used == set()


@pytest.mark.parametrize("folder", ["commands", "cli", "mcp"])
def test_every_code_is_explained(folder: str) -> None:
    codes = {code for _, call in errors_in(folder) for code in literals(call.args[0])}
    assert codes
    assert codes - set(EXPLANATIONS) == set()


@pytest.mark.parametrize(
    "source", ["CommandError('failed', 'in English')", "CommandError('failed', f'{x} in English')", "CommandError('failed', sentence('nobody has said this'))"]
)  # fmt: skip
def test_a_text_in_english_only_is_found(source: str) -> None:
    call: Any = ast.parse(source).body[0]
    assert not is_translated("runs", call.value.args[1])


@pytest.fixture
def chinese() -> Iterator[None]:
    use("zh")
    yield
    use("en")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("explain", "unreachabel"),
            "沒有錯誤代碼 'unreachabel'；您是指 unreachable 或 run_cancelled 嗎？",
        ),
        (("kb", "import", "/nowhere"), "沒有資料夾或檔案 '/nowhere'"),
        (("dev", "/nowhere"), "'/nowhere' 既沒有資料夾 `workflows`，也沒有 `recipes`"),
        (("--profile", "none", "workflows", "list"), "沒有設定組 'none'；其中沒有任何設定組"),
        (("login", "--base-url", "http://engine.example"), "以未加密的 http 連到另一台機器"),
    ],
)
def test_an_error_is_said_in_chinese(
    acr: Any, server: Any, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.setenv("ARCRUN_BASE_URL", server.url)
    monkeypatch.setenv("ARCRUN_API_KEY", "ak_" + "0" * 48)
    server.on("GET", "/health", {"ok": True})
    assert said in acr("--lang", "zh", *words).err


def test_yaml_that_is_not_valid_is_said_in_chinese(
    acr: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCRUN_API_KEY", "ak_" + "0" * 48)
    error = acr("push", "-", "--lang", "zh", stdin="").err
    assert "錯誤[invalid_yaml]" in error


def test_an_argument_is_named_in_chinese(chinese: None) -> None:
    parameters = parameters_of(command_named("run").load())
    with pytest.raises(CommandError) as caught:
        check_arguments(parameters, {"nam": "a"})
    assert caught.value.message == "there is no argument 'nam'; did you mean 'name'?"
    assert translated(caught.value.message) == "沒有參數 'nam'；您是指 'name' 嗎？"


def test_a_value_is_no_template() -> None:
    made = sentence("{file} has {count} characters", file="{count}", count="5")
    assert made == "{count} has 5 characters"
