"""Targets: which ones are refused, in which words, and that nothing they say can stop a run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hostile_texts import any_hostile, assert_harmless
from mini_engine import KEY, MiniEngine

from arcrun_conformance.cli import COULD_NOT_RUN, main
from arcrun_conformance.target import TargetError, open_target
from arcrun_conformance.wire.journal import Response

if TYPE_CHECKING:
    from typing import Any

    from arcrun_conformance.wire.journal import Exchange


@pytest.mark.parametrize("command", [["run"], ["run", "--dry-run"], ["sweep"]])
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:99999", "its port is no number from 0 to 65535"),
        ("http://127.0.0.1:x", "its port is no number from 0 to 65535"),
        ("http://[::1", "it is no URL"),
        ("http://", "it names no host"),
        ("http:///path", "it names no host"),
        ("ftp://host", "it does not begin with http:// or https://"),
        ("127.0.0.1:8787", "it does not begin with http:// or https://"),
        ("", "it does not begin with http:// or https://"),
        ("http://host/a b", "it has a space or a character that can't be seen"),
        ("http://ho\tst", "it has a space or a character that can't be seen"),
        ("http://host\u202e", "it has a space or a character that can't be seen"),
        ("http://host\udcff", "it has a space or a character that can't be seen"),
        ("http://host?q=1", "it has a query or a fragment"),
        ("http://host#part", "it has a query or a fragment"),
        ("http://a..b", "it names no host"),
        (f"http://{'a' * 64}.b", "it names no host"),
    ],
)
def test_a_target_that_is_no_address_is_refused_with_option_value_and_reason(
    capsys: pytest.CaptureFixture[str], command: list[str], url: str, reason: str
) -> None:
    assert main([*command, "--target", url]) == COULD_NOT_RUN
    errors = capsys.readouterr().err
    assert errors.startswith("error --target ")
    assert f"is not a valid target: {reason}; use local, live, or a URL such as" in errors
    assert_harmless(errors)
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize("given", ["me:geheim@", "geheim@", ":geheim@"])
@pytest.mark.parametrize("rest", ["127.0.0.1:1", "127.0.0.1:99999", "a b", ""])
def test_a_password_in_the_target_is_refused_and_not_repeated(
    capsys: pytest.CaptureFixture[str], given: str, rest: str
) -> None:
    assert main(["run", "--target", f"http://{given}{rest}"]) == COULD_NOT_RUN
    printed = capsys.readouterr()
    assert "--target names a user or a password" in printed.err
    assert "geheim" not in printed.err + printed.out


@pytest.mark.parametrize("capabilities", [5, None, "sealed", {"a": 1}, [["a"]], [1]])
async def test_capabilities_that_are_no_list_of_names_are_the_targets_fault(
    engine: MiniEngine, capabilities: Any
) -> None:
    engine.capabilities = capabilities
    with pytest.raises(TargetError, match=r"GET .*/health: capabilities must be a list of names"):
        async with open_target(engine.origin, KEY, "python"):
            pass


@pytest.mark.parametrize("number", ["1" * 5000, "1" + "0" * 5000 + ".0"])
async def test_a_number_that_no_program_reads_is_the_targets_fault_in_a_short_line(
    engine: MiniEngine, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    async def respond(_: Exchange) -> Response:
        return Response(200, [("Content-Type", "application/json")], f"[{number}]".encode())

    monkeypatch.setattr(engine, "respond", respond)
    with pytest.raises(TargetError, match=r"GET .*/health failed: ") as caught:
        async with open_target(engine.origin, KEY, "python"):
            pass
    assert "sys." not in str(caught.value), "advice for programs"
    assert len(str(caught.value)) < 400


@any_hostile
async def test_what_a_target_responds_is_shown_in_the_one_line_of_the_error(
    engine: MiniEngine, capsys: pytest.CaptureFixture[str], hostile: str
) -> None:
    engine.capabilities = [hostile]
    engine.health = [hostile]
    given = ["run", "--target", engine.origin, "--api-key", KEY]
    assert await asyncio.to_thread(main, given) == COULD_NOT_RUN
    errors = capsys.readouterr().err
    assert "/health did not return a JSON object: [" in errors
    assert_harmless(errors)
    assert len(errors.splitlines()) == 1


def test_a_missing_key_is_not_asked_for_where_logs_would_show_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ARCRUN_CONFORMANCE_API_KEY", raising=False)
    assert main(["run", "--target", "http://127.0.0.1:1"]) == COULD_NOT_RUN
    errors = capsys.readouterr().err
    assert "pass --api-key-file FILE, or set the environment variable ARCRUN_CONFORMANCE" in errors
    assert "--api-key " not in errors
