"""Schedules: each tick is accepted as one run, whatever happens to clocks and processes (docs/contract.md#schedules)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from scheduling import SetClock, scheduling

from arcrun_server import clock
from arcrun_server.engine.schedule import Schedule
from arcrun_server.errors import StorageUnavailableError
from arcrun_server.runs import schedules as schedules_module
from arcrun_server.store.pages import PageRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from scheduling import Scheduling

    from arcrun_server.runs.run_request import RunRequest
    from arcrun_server.store import Store

KEY = "ak_" + "5c4ed1" * 8
MORNING = Schedule("30 8 * * *", "Asia/Taipei")


@pytest.fixture
def now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """The engine's clock, on 20 November 2026."""
    made = SetClock(tmp_path / "ahead")
    monkeypatch.setattr(clock, "_ahead", [made.path])
    made.set("2026-11-20T00:00:00+00:00")
    return made


@pytest.fixture
async def account(store: Store) -> str:
    store.accounts.create(KEY)
    found = await store.accounts.of_key(KEY)
    assert found is not None
    return found


@pytest.fixture
async def process(store: Store, account: str, now: SetClock) -> AsyncIterator[Scheduling]:
    async with scheduling(store, account, "a") as made:
        yield made


async def test_a_run_is_accepted_when_its_time_has_come(process: Scheduling, now: SetClock) -> None:
    await process.push("report", MORNING)
    now.set("2026-11-20T00:29:58+00:00")
    await process.scheduler.run_due()
    assert await process.runs() == []

    now.set("2026-11-20T00:30:00+00:00")
    await process.scheduler.run_due()
    await process.scheduler.run_due()
    [entry] = await process.runs()
    assert (entry["workflow"], entry["trigger"]) == ("report", "schedule")
    run = await process.store.runs.get(entry["run_id"])
    assert run is not None
    assert run.input == {"scheduled_at": "2026-11-20T08:30:00+08:00", "timezone": "Asia/Taipei"}

    now.set("2026-11-21T00:30:00+00:00")
    await process.scheduler.run_due()
    assert len(await process.runs()) == 2


async def test_missed_ticks_are_run_once(process: Scheduling, now: SetClock) -> None:
    await process.push("report", MORNING)
    now.set("2026-12-24T12:00:00+00:00")
    await process.scheduler.run_due()
    assert await process.times() == ["2026-11-20T08:30:00+08:00"]
    now.set("2026-12-25T00:30:00+00:00")
    await process.scheduler.run_due()
    assert (await process.times())[1:] == ["2026-12-25T08:30:00+08:00"]


async def test_the_workflow_that_is_stored_at_the_tick_is_run(
    process: Scheduling, now: SetClock
) -> None:
    await process.push("report", MORNING)
    await process.push("report", MORNING, start="changed")
    now.set("2026-11-20T00:30:00+00:00")
    await process.scheduler.run_due()
    [entry] = await process.runs()
    run = await process.store.runs.get(entry["run_id"])
    assert run is not None
    assert run.plan["graph"]["nodes"][0]["id"] == "changed"


@pytest.mark.parametrize("lost", ["before", "after"])
async def test_a_tick_that_was_cut_off_is_run_once(
    process: Scheduling, now: SetClock, failing: Callable[..., Any], lost: str
) -> None:
    await process.push("report", MORNING)
    now.set("2026-11-20T00:30:00+00:00")
    broken = {
        "before": (process.accepted, "accept"),
        "after": (process.store.schedules, "advance"),
    }
    with (
        failing(*broken[lost], StorageUnavailableError("it is gone")),
        pytest.raises(StorageUnavailableError),
    ):
        await process.scheduler.run_due()
    assert len(await process.runs()) == (1 if lost == "after" else 0)
    now.set("2026-11-24T00:00:00+00:00")
    await process.scheduler.run_due()
    assert await process.times() == ["2026-11-20T08:30:00+08:00"]


async def test_processes_that_see_the_same_tick_accept_one_run(
    process: Scheduling, store: Store, account: str, now: SetClock
) -> None:
    for number in range(60):
        await process.push(f"w{number}", MORNING)
    async with scheduling(store, account, "b") as other:
        now.set("2026-11-20T00:30:00+00:00")
        await asyncio.gather(process.scheduler.run_due(), other.scheduler.run_due())
    runs = await process.runs()
    assert sorted(run["workflow"] for run in runs) == sorted(f"w{n}" for n in range(60))


# The clocks go forward at 02:00 to 03:00 and, in Lord Howe, to 02:30; back at 02:00, 03:00 and 02:00 to 01:30.
@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Schedule("30 2 * * *", "America/New_York"), "2026-03-08T03:30:00-04:00"),
        (Schedule("30 1 * * *", "America/New_York"), "2026-11-01T01:30:00-04:00"),
        (Schedule("30 2 * * *", "Europe/Berlin"), "2026-03-29T03:30:00+02:00"),
        (Schedule("30 2 * * *", "Europe/Berlin"), "2026-10-25T02:30:00+02:00"),
        (Schedule("15 2 * * *", "Australia/Lord_Howe"), "2026-10-04T02:45:00+11:00"),
        (Schedule("45 1 * * *", "Australia/Lord_Howe"), "2026-04-05T01:45:00+11:00"),
    ],
)
async def test_a_time_that_is_skipped_or_comes_twice_is_run_once(
    process: Scheduling, now: SetClock, schedule: Schedule, expected: str
) -> None:
    midnight = datetime.fromisoformat(expected[:10]).replace(tzinfo=schedule.zone())
    moment = midnight.astimezone(timezone.utc)
    now.set(moment.isoformat())
    await process.push("report", schedule)
    for _ in range(4 * 6):  # six hours, in which the clocks change
        moment += timedelta(minutes=15)
        now.set(moment.isoformat())
        await process.scheduler.run_due()
    assert await process.times() == [expected]


async def test_an_account_without_a_key_runs_nothing(
    process: Scheduling, store: Store, now: SetClock
) -> None:
    await process.push("report", MORNING)
    [key] = store.accounts.keys()
    store.accounts.revoke(key.id)
    now.set("2026-11-20T00:30:00+00:00")
    following_ms = await process.scheduler.run_due()
    assert await process.runs() == []
    assert following_ms == clock.milliseconds(datetime.fromisoformat("2026-11-21T08:30:00+08:00"))


async def test_a_run_that_its_workflow_refuses_is_noted(process: Scheduling, now: SetClock) -> None:
    await process.push("report", MORNING, max_running=1, when_full="refuse")
    now.set("2026-11-20T00:30:00+00:00")
    await process.scheduler.run_due()
    now.set("2026-11-21T00:30:00+00:00")  # the run of yesterday goes on
    await process.scheduler.run_due()
    assert await process.times() == ["2026-11-20T08:30:00+08:00"]
    page = await process.store.executions.list(process.account, "report", PageRequest(10))
    [execution] = page.entries
    assert execution["verdict"] == "failed"
    assert execution["message"].startswith("the run was not accepted: 1 of its runs go on")


async def test_a_run_that_is_not_accepted_is_noted_and_holds_up_no_other(
    process: Scheduling, now: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await process.push("refused", MORNING)
    await process.push("report", MORNING)
    right = process.accepted.accept

    async def accept(wanted: RunRequest) -> str:
        if wanted.workflow == "refused":
            raise ValueError("ak_secret")
        return await right(wanted)

    monkeypatch.setattr(process.accepted, "accept", accept)
    now.set("2026-11-20T00:30:00+00:00")
    await process.scheduler.run_due()
    assert [run["workflow"] for run in await process.runs()] == ["report"]
    page = await process.store.executions.list(process.account, "refused", PageRequest(10))
    [execution] = page.entries
    assert execution["verdict"] == "failed"
    assert execution["message"] == "the run can't be accepted: ValueError"


async def test_pushing_the_same_schedule_keeps_the_next_time(
    process: Scheduling, now: SetClock
) -> None:
    await process.push("report", MORNING)
    now.set("2026-11-22T00:00:00+00:00")  # two ticks are missed
    await process.push("report", MORNING)
    await process.scheduler.run_due()
    assert await process.times() == ["2026-11-20T08:30:00+08:00"]


async def test_pushing_the_same_schedule_mends_one_of_a_wrong_clock(
    process: Scheduling, now: SetClock
) -> None:
    now.set("2031-01-01T00:00:00+00:00")
    await process.push("report", MORNING)
    now.set("2026-11-20T00:00:00+00:00")
    await process.push("report", MORNING)
    now.set("2026-11-20T00:30:00+00:00")
    await process.scheduler.run_due()
    assert await process.times() == ["2026-11-20T08:30:00+08:00"]


async def test_pushing_another_schedule_begins_anew(process: Scheduling, now: SetClock) -> None:
    await process.push("report", MORNING)
    now.set("2026-11-22T00:00:00+00:00")
    await process.push("report", Schedule("30 8 * * *", "Europe/Berlin"))
    await process.scheduler.run_due()
    assert await process.runs() == []
    now.set("2026-11-22T07:30:00+00:00")
    await process.scheduler.run_due()
    assert await process.times() == ["2026-11-22T08:30:00+01:00"]


@pytest.mark.parametrize("how", ["push", "delete", "remove"])
async def test_a_schedule_that_was_removed_does_not_run(
    process: Scheduling, now: SetClock, how: str
) -> None:
    await process.push("report", MORNING)
    if how == "push":
        await process.push("report", None)
    elif how == "delete":
        await process.store.workflows.delete(process.account, "report")
    else:
        await process.store.schedules.remove(process.account, "report")
    now.set("2026-11-21T00:00:00+00:00")
    assert await process.scheduler.run_due() is None
    assert await process.runs() == []


async def test_a_workflow_that_is_deleted_just_then_holds_up_no_other(
    process: Scheduling, now: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await process.push("gone", MORNING)
    await process.push("report", MORNING)
    right = process.store.schedules.due

    async def due(now_ms: int, most: int) -> Any:
        found = await right(now_ms, most)
        await process.store.workflows.delete(process.account, "gone")
        return found

    monkeypatch.setattr(process.store.schedules, "due", due)
    now.set("2026-11-20T00:30:00+00:00")
    await process.scheduler.run_due()
    assert [run["workflow"] for run in await process.runs()] == ["report"]


async def until(reached: Callable[[], Any]) -> None:
    """Wait until the scheduler has done something."""
    deadline = asyncio.get_running_loop().time() + 20
    while True:
        if await reached():
            return
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.02)


async def test_the_scheduler_notices_that_the_clock_was_set(
    process: Scheduling, now: SetClock
) -> None:
    await process.push("report", MORNING)
    process.scheduler.start()
    now.set("2026-11-20T00:30:00+00:00")
    await until(process.runs)


async def test_the_scheduler_is_told_of_a_new_schedule(
    process: Scheduling, now: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules_module, "LOOK_SECONDS", 3600.0)
    monkeypatch.setattr(schedules_module, "CLOCK_SECONDS", 3600.0)
    process.scheduler.start()
    now.set("2026-11-20T00:29:59.500000+00:00")
    await process.push("report", MORNING)
    await until(process.runs)


async def test_the_scheduler_outlives_its_database(
    process: Scheduling,
    now: SetClock,
    monkeypatch: pytest.MonkeyPatch,
    failing: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(schedules_module, "CLOCK_SECONDS", 0.05)
    await process.push("report", MORNING)
    now.set("2026-11-20T00:30:00+00:00")
    with failing(process.store.schedules, "due", StorageUnavailableError("it is gone")):
        process.scheduler.start()

        async def warned() -> bool:
            return caplog.text.count("schedules wait for the database: it is gone") > 1

        await until(warned)
    await until(process.runs)


async def test_an_idle_scheduler_asks_for_little(
    process: Scheduling, now: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ask once, then wait for the earliest time, or for `LOOK_SECONDS`."""
    asked = 0
    right = process.store.database.rows

    async def rows(*arguments: Any, **parameters: Any) -> Any:
        nonlocal asked
        asked += 1
        return await right(*arguments, **parameters)

    monkeypatch.setattr(process.store.database, "rows", rows)
    monkeypatch.setattr(schedules_module, "CLOCK_SECONDS", 0.01)
    for number in range(20):
        await process.push(f"w{number}", MORNING)
    asked = 0
    process.scheduler.start()
    await until(lambda: _true(asked >= 2))
    read = 0
    right_now = clock.now

    def counted() -> float:
        nonlocal read
        read += 1
        return right_now()

    monkeypatch.setattr(clock, "now", counted)
    await until(lambda: _true(read > 10))
    assert asked == 2


async def _true(value: object) -> bool:
    return bool(value)
