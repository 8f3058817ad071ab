"""The runner's overhead can be measured; how large it is depends on the machine."""

from __future__ import annotations

from arcrun_conformance.cost import Cost, measure


async def test_both_ways_of_calling_are_measured() -> None:
    cost = await measure(calls=3)
    assert cost.bare_ms > 0
    assert cost.full_ms > 0


def test_the_runners_overhead_is_the_difference() -> None:
    assert Cost(1.0, 2.5).own_ms == 1.5
