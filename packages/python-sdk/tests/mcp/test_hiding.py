"""What may be a secret among a tool's arguments never stands in an error; the id of a run that there is does."""

from __future__ import annotations

import json
import string
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcrun.commands.errors import CommandError, Next
from arcrun.mcp.hiding import run_ids, without_tokens
from arcrun.mcp.tools import failure_of, failure_text

RUN = "5b1c8e0f6a2d4f7c9e3b1a0d8c7f6e5a"
FOUND = ["conflict", "run_failed", "run_cancelled", "run_paused"]
_HEX, _WORD = "0123456789abcdef", string.ascii_letters + string.digits
# Letters and digits are mixed in what is a key; the first two see to it.
KEYS = st.one_of(
    st.text(_HEX, min_size=30, max_size=30).map("a1{}".format),  # as long as a run's id
    st.text(_HEX, min_size=48, max_size=48).map("ak_a1{}".format),
    st.text(_WORD, min_size=20, max_size=40).map("ghp_a1{}".format),
    st.text(_WORD + "-_", min_size=20, max_size=60).map("sk-a1{}".format),
    st.text(_WORD + "+", min_size=20, max_size=40).map("a1{}==".format),
)
# Where an error can repeat an argument.
PLACES = [
    "no run '{}'", "GET /kbdb/search?q={}&limit=1: refused", "/runs/{}/cancel", "token={}", "{}", "key:{}\nline 2",
]  # fmt: skip
NAMES = ["name", "query", "run_id", "task_id", "content", "input"]


def failure(code: str, text: str) -> CommandError:
    return CommandError(
        code,
        text,
        next=[Next("see it", "runs get", (text,))],
        details=[{"message": text, text: text}],
    )


@settings(max_examples=300, deadline=None)
@given(
    key=KEYS,
    place=st.sampled_from(PLACES),
    name=st.sampled_from(NAMES),
    inside=st.booleans(),
    written=st.sampled_from([str, str.upper, str.lower, quote, quote_plus]),
    code=st.sampled_from([*FOUND, "run_not_found", "unreachable", "invalid_argument"]),
)
def test_no_key_is_repeated_wherever_it_stands(key, place, name, inside, written, code) -> None:
    arguments = {name: {"deep": [f"a {key} b"]} if inside else key}
    if name == "run_id" and code in FOUND and not inside:
        code = "run_not_found"  # else the engine has found a run of this id
    shown = failure_of(failure(code, place.format(written(key))), arguments)
    text = (json.dumps(shown) + failure_text(shown)).lower()
    assert key.lower() not in text
    assert quote(key).lower() not in text


@settings(max_examples=100, deadline=None)
@given(
    run=st.text(_HEX, min_size=32, max_size=32),
    code=st.sampled_from(FOUND),
    place=st.sampled_from(PLACES),
)
def test_the_id_of_a_run_that_the_engine_has_found_is_repeated(run, code, place) -> None:
    shown = failure_of(failure(code, place.format(run)), {"run_id": run, "from_node": "a"})
    assert shown["message"] == place.format(run)
    assert shown["details"][0]["message"] == place.format(run)
    assert run in shown["next"][0]


@pytest.mark.parametrize(
    "code", ["run_not_found", "unreachable", "invalid_argument", "unsupported"]
)
def test_what_no_engine_has_found_may_be_a_key(code) -> None:
    shown = failure_of(failure(code, f"no run {RUN!r}"), {"run_id": RUN})
    assert shown["message"] == "no run '[hidden]'"


@pytest.mark.parametrize(
    "arguments",
    [
        {"task_id": RUN},
        {"name": RUN},
        {"data": {"run_id": RUN}},
        {"run_id": [RUN]},
        {"run_id": RUN + "0"},
    ],
)
def test_only_the_argument_for_it_is_the_id_of_a_run(arguments) -> None:
    assert run_ids("conflict", arguments) == frozenset()
    assert RUN not in json.dumps(without_tokens(f"a {RUN}", arguments))


def test_what_was_not_given_is_shown() -> None:
    shown = failure_of(failure("run_failed", f"run {RUN}: failed"), {"name": "greet"})
    assert shown["message"] == f"run {RUN}: failed"
    assert shown["next"] == [f"see it: run_get 'run {RUN}: failed'"]
