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


def texts_in(folder: Path, *functions: str) -> Iterator[str]:
    """The texts that a folder's modules pass to these functions first."""
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in functions
            ):
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


def test_every_message_and_help_text_has_both_languages() -> None:
    labels = {"error", "warning"}
    used = {*texts_of_help(), *texts_in(SOURCES / "cli", "text", "message"), *labels}
    used |= {*texts_in(SOURCES / "commands", "Next"), *texts_in(SOURCES / "cli", "Next")}
    assert used - set(CHINESE) == set()


def test_no_translation_is_left_over() -> None:
    labels = {"error", "warning"}
    used = {*texts_of_help(), *texts_in(SOURCES / "cli", "text", "message"), *labels}
    used |= {*texts_in(SOURCES / "commands", "Next")}
    assert set(CHINESE) - used == set()


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
