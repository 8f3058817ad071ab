"""Messages in English and Traditional Chinese."""

from __future__ import annotations

import ast
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import arcrun
from arcrun.cli.chinese import CHINESE
from arcrun.cli.messages import language_of, text, use
from arcrun.commands.parameters import parameters_of
from arcrun.commands.table import COMMANDS, GROUPS

SOURCES = Path(arcrun.__file__).parent
NAMES = re.compile(r"\{(\w+)\}")


@pytest.fixture(autouse=True)
def english_again(monkeypatch) -> Iterator[None]:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "ARCRUN_LANG"):
        monkeypatch.delenv(name, raising=False)
    yield
    use("en")


def texts_of_help() -> Iterator[str]:
    yield from GROUPS.values()
    for command in COMMANDS:
        function = command.load()
        yield command.summary
        yield (function.__doc__ or "").split("\n", 1)[0]
        yield from (
            each.description
            for each in parameters_of(function)
            if not each.positional and each.description
        )


TRANSLATES = {"text", "message", "sentence"}
# Prose, and what a style makes a word of the output. What is typed and names of files are the same in both languages.
PROSE = re.compile(r"[a-z]{2,},? [a-z]{2,}")
TYPED = re.compile(r"\s*(#.*|acr .*|\{\} ARCRUN_.*)")
COMMAND = re.compile(r"acr [a-z ]+|python -m .*")
WORD = re.compile(r"[A-Za-z]{3,}")


def calls_in(folder: Path) -> Iterator[tuple[str, ast.Call]]:
    """The calls of functions by name in a folder's modules."""
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield node.func.id, node


def texts_in(folder: Path, *functions: str) -> Iterator[str]:
    """The texts that a folder's modules pass to these functions first."""
    for name, call in calls_in(folder):
        if name in functions and call.args:
            yield from literals(call.args[0])


def literals(node: ast.expr) -> Iterator[str]:
    """The texts that an expression can be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*literals(node.body), *literals(node.orelse))


def texts_of_views() -> Iterator[str]:
    """What views look up by a value: heads of tables, names of lists, states, the checks of `acr doctor`."""
    for command in COMMANDS:
        if command.shown:
            yield command.shown[0]
            yield from (name.replace("_", " ").upper() for name in command.shown[1:])
    yield from ("error", "warning")
    yield from ("created", "replaced", "unchanged", "changed", "failed", "skipped")
    for name, call in calls_in(SOURCES / "commands"):
        if name == "Check":
            yield from literals(call.args[0])
            yield from (cure for cure in texts_after(call.args[3:]) if not COMMAND.fullmatch(cure))


def test_what_acr_doctor_finds_can_be_said_in_both_languages() -> None:
    checks = [call for name, call in calls_in(SOURCES / "commands") if name == "Check"]
    assert len(checks) > 10
    for call in checks:
        visitor = Untranslated()
        visitor.visit(call.args[2])
        assert visitor.found == []


def texts_after(arguments: list[ast.expr]) -> Iterator[str]:
    return (
        text for each in arguments for text in literals(each) if PROSE.search(text) or " " in text
    )


def used_texts() -> set[str]:
    used = {*texts_of_help(), *texts_of_views(), *texts_in(SOURCES / "cli", *TRANSLATES)}
    return used | {
        *texts_in(SOURCES / "commands", "Next", "sentence"),
        *texts_in(SOURCES / "cli", "Next"),
    }


def test_every_message_and_help_text_has_both_languages() -> None:
    assert used_texts() - set(CHINESE) == set()


def test_no_translation_is_left_over() -> None:
    assert set(CHINESE) - used_texts() == set()


class Untranslated(ast.NodeVisitor):
    """Finds the texts of a module that a person would read in English whatever the language."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._shown = False

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in {*TRANSLATES, "Next"}:
            self._visit_all(node.args[1:], node.keywords)
        elif name in {"style", "_section", "print", "progress", "question", "_line"} and node.args:
            self._visit_shown(node.args[0])
            self._visit_all(node.args[1:], node.keywords)
        else:
            self._visit_all(node.args, node.keywords)

    def visit_Dict(self, node: ast.Dict) -> None:
        for value in node.values:  # keys are names
            self.visit(value)

    def visit_Yield(self, node: ast.Yield) -> None:
        if node.value is not None:
            self._visit_shown(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        text = "".join(
            each.value if isinstance(each, ast.Constant) else "{}" for each in node.values
        )
        self._check(text)
        for each in node.values:
            if isinstance(each, ast.FormattedValue):
                before, self._shown = self._shown, False
                self.visit(each.value)
                self._shown = before

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)  # what is between the brackets is a key

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._check(node.value)

    def _visit_shown(self, node: ast.expr) -> None:
        before = self._shown
        self._shown = isinstance(node, (ast.Constant, ast.JoinedStr, ast.IfExp, ast.BinOp))
        self.visit(node)
        self._shown = before

    def _visit_all(self, arguments: list[ast.expr], keywords: list[ast.keyword]) -> None:
        before, self._shown = self._shown, False
        for each in (*arguments, *(keyword.value for keyword in keywords)):
            self.visit(each)
        self._shown = before

    def _check(self, text: str) -> None:
        pattern = WORD if self._shown else PROSE
        if pattern.search(text) and not TYPED.fullmatch(text):
            self.found.append(text)


def untranslated(source: str) -> list[str]:
    visitor = Untranslated()
    visitor.visit(ast.parse(source))
    return visitor.found


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted((SOURCES / "cli").glob("*.py"))
        if path.stem not in {"chinese", "exits"}  # what exit codes mean is for the page
    ],
    ids=lambda path: path.stem,
)
def test_no_text_is_in_english_only(path: Path) -> None:
    assert untranslated(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "yield style('waiting for a save', 'dim')",
        "yield style('trace', 'bold')",
        "yield f'pushed as {name}'",
        "yield f'{name}  {style(\"passed\")}'",
        "about = f'{count} more lines'",
        "console.progress('saved' if done else 'failed')",
    ],
)
def test_a_text_in_english_only_is_found(line: str) -> None:
    assert untranslated(f"def view(result, style):\n    {line}\n")


def test_translations_keep_the_names_of_values() -> None:
    for english, chinese in CHINESE.items():
        assert sorted(NAMES.findall(english)) == sorted(NAMES.findall(chinese)), english


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {}, "en"),
        ([], {"LANG": "zh_TW.UTF-8"}, "zh"),
        ([], {"LANG": "zh_HK.UTF-8"}, "zh"),
        ([], {"LANG": "zh-Hant"}, "zh"),
        ([], {"LANG": "zh_CN.UTF-8"}, "en"),
        ([], {"LC_ALL": "C", "LANG": "zh_TW.UTF-8"}, "en"),
        ([], {"LC_MESSAGES": "zh_TW", "LANG": "en_US.UTF-8"}, "zh"),
        ([], {"ARCRUN_LANG": "zh"}, "zh"),
        ([], {"ARCRUN_LANG": "en", "LANG": "zh_TW.UTF-8"}, "en"),
        (["--lang", "zh"], {"ARCRUN_LANG": "en"}, "zh"),
        (["push", "x", "--lang=zh"], {}, "zh"),
        (["run", "x", "--", "--lang", "zh"], {}, "en"),
        (["--lang"], {}, "en"),
    ],
)
def test_the_language_is_the_one_asked_for_else_that_of_the_locale(
    monkeypatch, arguments, environment, expected
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    assert language_of(arguments, stream) == expected


def test_a_locale_counts_only_where_the_terminal_has_its_characters(monkeypatch) -> None:
    monkeypatch.setenv("LANG", "zh_TW")
    assert language_of([], io.TextIOWrapper(io.BytesIO(), encoding="cp1252")) == "en"
    assert language_of([], io.TextIOWrapper(io.BytesIO(), encoding="cp950")) == "zh"


def test_values_in_a_message_are_no_templates() -> None:
    assert (
        text("the argument {name} is missing", name="{other}") == "the argument {other} is missing"
    )


def test_help_is_in_the_language(acr) -> None:
    shown = acr("push", "--help", "--lang", "zh").out
    assert "用法：acr push" in shown
    assert "儲存工作流程" in shown
    assert "只檢查" in shown
    assert "store a workflow" in acr("--help", "--lang", "en").out


def test_a_mistake_is_explained_in_the_language(acr) -> None:
    ended = acr("pussh", "--lang", "zh")
    assert "錯誤[invalid_argument]: 沒有 acr pussh 這個指令；您是指 push 嗎？" in ended.err
    assert "查看參數與選項: acr --help" in ended.err


def test_what_an_engine_says_is_followed_by_what_its_code_means(acr, engine) -> None:
    ended = acr("run", "gret", "--lang", "zh")
    assert "no workflow 'gret'" in ended.err
    assert "這個帳號沒有這個名稱的工作流程。" in ended.err


def test_explain_is_in_the_language(acr) -> None:
    assert acr("explain", "timeout", "--json", "--lang", "zh").json["cure"].startswith("再試一次")
    assert acr("explain", "timeout", "--json").json["cure"].startswith("Try again")


def test_explain_lists_every_code_and_finds_near_ones(acr) -> None:
    listed = acr("explain", "--json").json["codes"]
    assert {"invalid_graph", "unreachable", "run_failed"} <= {each["code"] for each in listed}
    error = json.loads(acr("explain", "unreachabel", "--json").err)
    assert (error["code"], "unreachable" in error["message"]) == ("code_not_found", True)
