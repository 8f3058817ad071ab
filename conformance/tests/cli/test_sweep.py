"""`arcrun-conformance sweep`: what it removes, and that no name at the target can stop or steer it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hostile_texts import any_hostile, assert_harmless
from mini_engine import KEY, MiniEngine

from arcrun_conformance.cli import COULD_NOT_RUN, FAILED, GO, main

if TYPE_CHECKING:
    from collections.abc import Callable

LEFT = "arcconf_0123abcd_1"


@pytest.fixture
def sweep(engine: MiniEngine) -> Callable:
    async def run(*arguments: str) -> int:
        given = ["sweep", "--target", engine.origin, "--api-key", KEY, *arguments]
        return await asyncio.to_thread(main, given)

    return run


async def test_sweep_removes_what_runs_have_left_and_nothing_else(
    sweep: Callable, engine: MiniEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, capitals, theirs = "arcconf_0123abcd_1_token", "ARCCONF_89ABCDEF_2_X", "openai_api_key"
    engine.credentials = {name: {} for name in (ours, capitals, theirs)}
    engine.workflows = {"arcconf_0123abcd_3_flow": {}}

    assert await sweep("--dry-run") == GO
    assert len(engine.credentials) == 3
    assert await sweep("--run", "arcconf_0123abcd") == GO
    assert set(engine.credentials) == {capitals, theirs}
    assert engine.workflows == {}
    assert await sweep() == GO
    assert set(engine.credentials) == {theirs}
    assert await sweep("--run", "arcconf") == COULD_NOT_RUN
    assert "is not a run's id" in capsys.readouterr().err


async def test_sweep_reports_what_it_could_not_remove(
    sweep: Callable, engine: MiniEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.credentials = Undeletable({"arcconf_0123abcd_1_token": {}})
    assert await sweep() == FAILED
    assert "still there: credential arcconf_0123abcd_1_token" in capsys.readouterr().out


@any_hostile
async def test_names_at_the_target_are_shown_and_neither_stop_nor_steer_anything(
    sweep: Callable, engine: MiniEngine, capsys: pytest.CaptureFixture[str], hostile: str
) -> None:
    engine.credentials = Undeletable({f"{hostile}{LEFT}": {}})
    engine.workflows = Undeletable({f"{LEFT}{hostile}": {}})
    assert await sweep("--dry-run") == GO
    listed = capsys.readouterr()
    assert await sweep() == FAILED
    removed = capsys.readouterr()
    for printed in (listed.out, removed.out):
        assert_harmless(printed)
        assert printed.count(LEFT) == len(printed.splitlines()) - 1, "a line for each, and the last"
    assert listed.err == removed.err == ""


@pytest.mark.parametrize(
    "names", [[5], [None], [["a"]], [{}]], ids=["number", "null", "list", "object"]
)
async def test_a_list_with_names_that_are_no_text_is_named(
    sweep: Callable, engine: MiniEngine, capsys: pytest.CaptureFixture[str], names: list
) -> None:
    engine.credentials = Names(names)
    assert await sweep() == COULD_NOT_RUN
    assert capsys.readouterr().err.startswith(
        "error can't list what is at the target: ValueError: the list /credentials"
    )


async def test_a_name_that_no_address_can_hold_is_reported(
    sweep: Callable, engine: MiniEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.credentials = {LEFT + "x" * 70_000: {}}
    assert await sweep() == FAILED
    assert "could not be removed: InvalidURL: URL too long" in capsys.readouterr().out


class Undeletable(dict):
    def pop(self, name: str, default: object = None) -> object:
        return self.get(name, default)


class Names(dict):
    """A store that lists names which no dictionary could hold."""

    def __init__(self, names: list) -> None:
        super().__init__()
        self._names = names

    def __iter__(self) -> object:
        return iter(self._names)
