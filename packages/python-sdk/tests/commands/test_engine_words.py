"""What an engine says in the words of HTTP reaches nobody who types a command or calls a tool."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from arcrun._core.errors import APIStatusError
from arcrun.cli.console import next_command
from arcrun.commands.engine_words import step_of
from arcrun.commands.errors import CommandError, command_error
from arcrun.commands.table import COMMANDS
from arcrun.mcp.tools import next_tool

ROOT = Path(__file__).parents[4]
SERVER = ROOT / "packages/server/src/arcrun_server"
TEXTS = yaml.safe_load((ROOT / "scripts/error_codes.yaml").read_text("utf-8"))
HTTP = re.compile(
    r"\b(?:GET|POST|PUT|PATCH|DELETE|HEAD) /|\?\w+=|\bX-[A-Z]|Retry-After|Authorization|Content-Type|Idempotency-Key"
    r"|\bthe (?:body|header|path|query)\b|\bthis route\b"
    r"|(?<![\w}])/(?:docs|openapi|me|auth|register|runs|kbdb|webhooks|hooks|prompt|recipes|credentials|components)\b"
)
# Codes of requests that no command sends, or that say themselves which part of a request is meant.
NOT_OF_COMMANDS = {
    "missing_session": "a session is that of a browser",
    "forbidden_origin": "an Origin is that of a browser",
    "unknown_token": "callbacks and metrics",
    "unsupported_media_type": "commands send JSON",
    "invalid_signature": "a webhook has headers, and who sends one knows them",
}
NOT_FOR_COMMANDS = {
    "the page /docs has no such file",
    "the header X is not UTF-8",
}  # a page, and webhooks


def text_of(node: ast.expr) -> str | None:
    """A text as a person could read it, with a word for each value; None for another expression."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values
        )
    return None


def errors_of_the_engine() -> Iterator[tuple[str, str, list[str]]]:
    """Code, message and advice of each error that the engine's source makes, as far as they stand in it as texts."""
    for path in sorted(SERVER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name not in {"ApiError", "_invalid", "too_many"}:
                continue
            texts = [text_of(each) for each in node.args]
            code = {"_invalid": "invalid_request", "too_many": "too_many_requests"}.get(name)
            code = code or (texts[1] if len(texts) > 1 else None) or "refused"
            message = next((each for each in texts if each and " " in each), "failed")
            advice = next(
                (each.value for each in node.keywords if each.arg == "next_actions"), None
            )
            actions = advice.elts if isinstance(advice, (ast.List, ast.Tuple)) else []
            yield code, message, [found for found in map(text_of, actions) if found]


ERRORS = list(errors_of_the_engine())
ACTIONS = sorted(
    {action for code, _, actions in ERRORS if code not in NOT_OF_COMMANDS for action in actions}
)
MESSAGES = sorted({
    (code, message) for code, message, _ in ERRORS if code not in NOT_OF_COMMANDS and message not in NOT_FOR_COMMANDS
})  # fmt: skip


def test_the_engine_has_errors_of_every_kind() -> None:
    assert len(MESSAGES) > 60
    assert len(ACTIONS) > 20
    assert any(HTTP.search(action) for action in ACTIONS)
    assert {code for code, *_ in ERRORS} >= {"recipe_in_use", "conflict", "missing_api_key"}


@pytest.mark.parametrize("action", ACTIONS)
def test_what_can_be_done_next_is_a_command_and_a_tool(action: str) -> None:
    step = step_of(action)
    for said in (next_command(step), next_tool(step)) if step else ():
        assert not HTTP.search(said), said
    assert step is None or not step.command or step.command in {each.name for each in COMMANDS}


@pytest.mark.parametrize(("code", "message"), MESSAGES)
def test_messages_have_no_words_of_http(code: str, message: str) -> None:
    error = APIStatusError(message, code=code, message=message, status=400, request_id="0a1b")
    assert not HTTP.search(command_error(error).message), message


def test_codes_left_out_are_codes_of_the_engine() -> None:
    assert set(NOT_OF_COMMANDS) <= set(TEXTS["engine"])


@pytest.mark.parametrize("code", [*TEXTS["engine"], *TEXTS["local"]])
def test_the_cure_of_a_code_has_no_words_of_http(code: str) -> None:
    if code not in NOT_OF_COMMANDS:
        text = {**TEXTS["engine"], **TEXTS["local"]}[code]
        assert not HTTP.search(text["cure"])
        assert not HTTP.search(text["cure_zh"])


def test_an_error_says_the_request_id_instead_of_where_it_stands() -> None:
    said = "something failed inside the engine; its log has more, under the X-Request-Id of this response"
    error = APIStatusError(
        f"{said} (GET u)", code="internal_error", message=said, request_id="0a1b"
    )
    assert command_error(error).message == (
        "something failed inside the engine; its log has more, under the request id 0a1b (GET u)"
    )


def test_options_are_said_in_the_words_of_each_face() -> None:
    step = step_of("change these, or delete it all the same with ?force=true")
    assert step is not None
    named = step._replace(arguments=("hello",))
    assert next_command(named).endswith("acr recipe delete hello --force")
    assert next_tool(named).endswith("prompt_recipe_delete hello, force: true")


@pytest.mark.parametrize("action", ["see all keys: GET /prompt-texts", "do it: POST /x/{id}?a=b"])
def test_a_route_without_a_command_is_no_step(action: str) -> None:
    assert step_of(action) is None


def test_a_missing_key_is_said_with_the_setting() -> None:
    said = "this route needs an API key: send it in the header X-Arcrun-API-Key"
    error: CommandError = command_error(APIStatusError(said, code="missing_api_key", message=said))
    assert error.message.startswith("the engine needs an API key: set ARCRUN_API_KEY")
