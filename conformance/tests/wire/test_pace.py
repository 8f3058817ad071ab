"""The pace of requests to an engine that others use."""

from __future__ import annotations

from arcrun_conformance.wire.pace import Pace


class Clock:
    """A clock that goes on only while somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def test_requests_begin_no_faster_than_the_rate() -> None:
    clock = Clock()
    pace = Pace(4, clock, clock.sleep)
    begun = []
    for _ in range(4):
        await pace.turn()
        begun.append(clock.now)

    assert begun == [100.0, 100.25, 100.5, 100.75]


async def test_a_pause_is_not_made_up_for_by_a_burst() -> None:
    clock = Clock()
    pace = Pace(4, clock, clock.sleep)
    await pace.turn()
    clock.now += 10
    begun = []
    for _ in range(3):
        await pace.turn()
        begun.append(clock.now)

    assert begun == [110.0, 110.25, 110.5]
