"""Taking over the runs of processes that have ended, with locks whose holders the test ends."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from arcrun_server.runs import takeover
from arcrun_server.runs.takeover import Takeover

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection

WAIT = 30.0


class LostError(Exception):
    """The lock is lost."""


@dataclass
class Cluster:
    """The locks of a database, and what a process with a `Takeover` does, in order."""

    ended: list[str] = field(default_factory=list)
    working: set[str] = field(default_factory=set)
    broken: bool = False
    failing: set[str] = field(default_factory=set)
    events: list[str] = field(default_factory=list)
    names: int = 0
    unowned: int = 0
    _happened: asyncio.Condition = field(default_factory=asyncio.Condition)

    def locks(self) -> FakeLocks:
        self.names += 1
        return FakeLocks(self, f"p{self.names}")

    async def until(self, event: str) -> None:
        """Wait until something has happened."""
        async with self._happened:
            await asyncio.wait_for(self._happened.wait_for(lambda: event in self.events), WAIT)

    async def happen(self, event: str) -> None:
        async with self._happened:
            self.events.append(event)
            self._happened.notify_all()

    async def begin(self, name: str) -> None:
        await self.happen(f"begin {name}")

    async def stop(self) -> None:
        await self.happen("stop")

    async def take_unowned(self) -> bool:
        await self.happen("take unowned")
        self.unowned = max(self.unowned - 1, 0)
        return self.unowned > 0

    async def release_waiting(self) -> None:
        await self.happen("release waiting")

    async def still_working(self) -> set[str]:
        return self.working

    async def recover(self, name: str) -> None:
        self.working.discard(name)
        await self.happen(f"recover {name}")
        if name in self.failing:
            self.failing.discard(name)
            raise OSError("the database can't be used")


@dataclass
class FakeLocks:
    """Locks of a database that is a list."""

    cluster: Cluster
    name: str

    def hold(self) -> None:
        self.cluster.events.append(f"hold {self.name}")
        self.cluster.broken = False

    def ended(self, named: Collection[str]) -> list[str]:
        if self.cluster.broken:
            raise LostError
        return [*self.cluster.ended, *named]

    def release(self, name: str, *, recovered: bool) -> None:
        self.cluster.events.append(f"release {name} {recovered}")
        if recovered and name in self.cluster.ended:
            self.cluster.ended.remove(name)

    def close(self) -> None:
        self.cluster.events.append(f"close {self.name}")


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeover, "LOOK_SECONDS", 0.01)


@asynccontextmanager
async def process(cluster: Cluster) -> AsyncIterator[Takeover]:
    made = Takeover(
        cluster.locks,
        LostError,
        begin=cluster.begin,
        stop=cluster.stop,
        working=cluster.still_working,
        recover=cluster.recover,
        take_unowned=cluster.take_unowned,
        release_waiting=cluster.release_waiting,
    )
    made.start()
    yield made
    await made.aclose()


def position(cluster: Cluster) -> Callable[[str], int]:
    return cluster.events.index


async def test_runs_begin_once_the_lock_is_held_and_stop_before_it_is_given_back() -> None:
    cluster = Cluster()
    async with process(cluster):
        await cluster.until("begin p1")
    assert cluster.events == ["hold p1", "begin p1", "stop", "close p1"]


async def test_what_a_process_that_ended_has_left_is_taken_over_once() -> None:
    cluster = Cluster()
    async with process(cluster):
        await cluster.until("begin p1")
        cluster.ended.append("gone")
        await cluster.until("recover gone")
        cluster.ended.append("gone too")
        await cluster.until("recover gone too")
    assert cluster.events.count("recover gone") == 1
    at = position(cluster)
    assert at("recover gone") < at("release gone True")


async def test_what_is_executed_under_a_name_that_is_listed_no_more_is_taken_over() -> None:
    cluster = Cluster()
    async with process(cluster):
        await cluster.until("begin p1")
        cluster.working.add("forgotten")
        await cluster.until("recover forgotten")
        await cluster.until("release forgotten True")
    assert cluster.events.count("recover forgotten") == 1


async def test_a_process_that_lost_its_lock_stops_before_it_comes_back_under_a_new_name() -> None:
    cluster = Cluster()
    async with process(cluster):
        await cluster.until("begin p1")
        cluster.broken = True
        await cluster.until("begin p2")
    at = position(cluster)
    assert at("begin p1") < at("stop") < at("close p1") < at("hold p2") < at("begin p2")


async def test_runs_that_could_not_be_taken_over_stay_for_the_next_attempt() -> None:
    cluster = Cluster(ended=["gone"], failing={"gone"})
    async with process(cluster):
        await cluster.until("begin p2")
        cluster.ended.append("later")
        await cluster.until("recover later")
    at = position(cluster)
    assert at("release gone False") < at("stop") < at("hold p2") < at("release gone True")
    assert cluster.events.count("recover gone") == 2


async def test_while_runs_that_no_process_has_are_left_it_goes_on_to_take_them_without_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(takeover, "LOOK_SECONDS", 600.0)
    monkeypatch.setattr(takeover, "SOON_SECONDS", 0.0)
    cluster = Cluster(unowned=3)
    async with process(cluster), cluster._happened:
        await asyncio.wait_for(
            cluster._happened.wait_for(lambda: cluster.events.count("take unowned") == 3), WAIT
        )
    assert cluster.events.count("release waiting") == 1
