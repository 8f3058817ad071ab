"""Which of all mutants are judged: a sample that a seed repeats, with some of each module."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

Item = TypeVar("Item")


def sample(
    items: Sequence[Item], count: int, seed: int, stratum: Callable[[Item], Hashable]
) -> list[Item]:
    """Return `count` of the items, in the order in which they are to be judged.

    Each stratum gives a share as large as its own, spread over the order, so that whatever is left out at the end,
    because the time is over, was not of one stratum.

    Args:
        items: What there is.
        count: How many; all if there are fewer.
        seed: The same seed gives the same sample of the same items.
        stratum: What an item belongs to: its module.
    """
    chance = random.Random(seed)  # noqa: S311 -- a sample, not a secret
    strata: dict[Hashable, list[Item]] = {}
    for item in items:
        strata.setdefault(stratum(item), []).append(item)
    placed: list[tuple[float, Item]] = []
    for members in strata.values():
        chance.shuffle(members)
        # Where a stratum's items stand among all: evenly, from a point that chance chooses.
        start = chance.random()
        placed += [((index + start) / len(members), item) for index, item in enumerate(members)]
    placed.sort(key=lambda place: place[0])
    return [item for _, item in placed[:count]]
