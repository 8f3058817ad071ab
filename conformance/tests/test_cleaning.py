"""What comes from adapters and engines is cleaned before it can break a report or steer a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from mini_sdk import MiniSdk
from push_scenario import PUSH

from arcrun_conformance.adapters.adapter import InMemoryConnection
from arcrun_conformance.adapters.protocol import AdapterFailure, Result, decode
from arcrun_conformance.checks.check import check
from arcrun_conformance.cleaning import MAX_DEPTH, parsed_json, visible, well_formed
from arcrun_conformance.report import describe, write_all
from arcrun_conformance.runs.runner import RunConfig, execute
from arcrun_conformance.wire.journal import body_value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mini_engine import MiniEngine

    from arcrun_conformance.scenarios.scenario import Scenario

REPLACED = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("levels", [MAX_DEPTH + 2, 5_000, 100_000])
@pytest.mark.parametrize("bracket", ["[]", '{"a":}'])
def test_json_that_is_nested_too_deeply_is_refused(levels: int, bracket: str) -> None:
    start, end = bracket[:-1], bracket[-1]
    with pytest.raises(ValueError, match="nested more than 100 levels deep"):
        parsed_json(start * levels + "1" + end * levels)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_numbers_that_json_can_not_write_again_are_refused(number: str) -> None:
    with pytest.raises(ValueError, match="not representable in JSON"):
        parsed_json(f'{{"a": [{number}]}}')


def test_a_number_with_thousands_of_digits_is_refused_without_advice_for_programs() -> None:
    with pytest.raises(ValueError, match="Exceeds the limit") as caught:
        parsed_json("1" * 5000)
    assert "sys." not in str(caught.value)


def test_lone_surrogates_are_replaced_in_keys_and_values_and_pairs_are_kept() -> None:
    assert parsed_json(r'{"\ud800": ["a\udfff", "\ud83c\udf0a"]}') == {
        REPLACED: [f"a{REPLACED}", "🌊"]
    }


def test_what_was_parsed_can_be_written_in_utf_8() -> None:
    json.dumps(parsed_json(r'["\ud800\ud800", "\udc00x"]'), ensure_ascii=False).encode()
    assert well_formed("\udcff密") == f"{REPLACED}密"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x00\x7f\x9b", r"\x1b[31mred\x00\x7f\x9b"),
        ("a\r\nb\tc", "a\nb\tc"),
        ("progress\rover", r"progress\x0dover"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("::stop-commands::x\n  ::error::y", "\\::stop-commands::x\n  \\::error::y"),
        ("a ##[error]b", "a #\\#[error]b"),
        ("密鑰: std::vector 🌊", "密鑰: std::vector 🌊"),
    ],
)
def test_text_for_people_has_no_character_that_a_terminal_or_a_ci_system_obeys(
    text: str, shown: str
) -> None:
    assert visible(text) == shown


def test_a_body_that_is_nested_too_deeply_is_seen_as_text() -> None:
    body = "[" * 100_000
    assert body_value(body.encode()) == body


def test_the_message_of_a_check_is_visible() -> None:
    assert check("a", ["\x1b[2J"]).message == r"\x1b[2J"


def test_a_reply_that_is_nested_too_deeply_is_the_adapters_failure() -> None:
    with pytest.raises(AdapterFailure, match="nested more than 100 levels deep") as caught:
        decode('{"id": 1, "result": ' + "[" * 100_000, 1, "call")
    assert caught.value.kind == "invalid-json"


def test_a_reply_with_a_lone_surrogate_is_cleaned() -> None:
    reply = decode(r'{"id": 1, "result": {"name": "\ud800"}}', 1, "call")
    assert reply == Result({"name": REPLACED})


class Hostile(MiniSdk):
    """An adapter that replies to each call with a text that breaks reports."""

    def __init__(self, reply: str) -> None:
        super().__init__()
        self.reply = reply

    async def __call__(self, line: str) -> str:
        message = json.loads(line)
        if message["command"] != "call":
            return await super().__call__(line)
        return self.reply.replace("ID", str(message["id"]))


@pytest.mark.parametrize(
    ("reply", "caught_by"),
    [
        ('{"id": ID, "result": ' + "[" * 100_000 + "]" * 100_000 + "}", "adapter-invalid-json"),
        (r'{"id": ID, "result": {"name": "\ud800"}}', "pushed"),
        ('{"id": ID, "result": {"name": NaN}}', "adapter-invalid-json"),
        (r'{"id": ID, "failure": {"message": "\u001b[2J\n::stop-commands::x"}}', "adapter-failure"),
    ],
)
async def test_no_reply_of_an_adapter_prevents_the_reports(
    engine: MiniEngine,
    scenario_of: Callable[[str], Scenario],
    tmp_path: Path,
    reply: str,
    caught_by: str,
) -> None:
    async def opener() -> InMemoryConnection:
        return InMemoryConnection(Hostile(reply))

    config = RunConfig(engine.target, [scenario_of(PUSH)], {"mini": opener})
    described = describe(await execute(config))
    write_all(described, tmp_path / "reports")

    failed = [c["id"] for c in described["cells"][0]["checks"] if c["outcome"] == "failed"]
    assert caught_by in failed
    for name in ("conformance.json", "junit.xml", "summary.md", "index.html"):
        text = (tmp_path / "reports" / name).read_text("utf-8")
        assert "\x1b" not in text
        assert "\n::stop-commands::" not in text
