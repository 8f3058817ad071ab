"""How busy the machine is, measured."""

from __future__ import annotations

import pytest

from arcrun_conformance.runs import contention


class Clocks:
    """Two clocks: of each second that passes, the thread computes for a part."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._now = 0.0

    def perf_counter(self) -> float:
        return self._now

    def thread_time(self) -> float:
        self._now += 0.001
        return self._now * self._share


@pytest.mark.parametrize(
    ("share", "factor"), [(1.0, 1.0), (0.5, 2.0), (0.25, 4.0), (0.001, contention.MOST)]
)
async def test_contention_is_the_time_that_passes_for_a_second_of_computing(
    monkeypatch: pytest.MonkeyPatch, share: float, factor: float
) -> None:
    monkeypatch.setattr(contention, "time", Clocks(share))
    assert await contention.contention() == pytest.approx(factor, rel=0.2)
