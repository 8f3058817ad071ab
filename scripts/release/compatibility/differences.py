"""Describe how what is released differs from the last release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, order=True)
class Difference:
    """One difference that users can see.

    Attributes:
        part: Where it is: `python`, `typescript`, `contract` or `scenarios`.
        symbol: What it is about, by the name that users know: `creds.push`, `POST /credentials`, a scenario's id.
        member: The parameter, field or check of the symbol that differs; empty if the symbol itself does.
        what: What has happened to it.
        breaking: Whether users have to change something.
    """

    part: str
    symbol: str
    member: str
    what: str
    breaking: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Return what the changelog must name, if this is a break."""
        return (self.symbol, self.member) if self.member else (self.symbol,)

    def __str__(self) -> str:
        where = f"{self.symbol} `{self.member}`" if self.member else self.symbol
        return (
            f"{'breaking' if self.breaking else 'addition':<9} {self.part:<11} {where} {self.what}"
        )


@dataclass(frozen=True)
class Part:
    """Makes the differences of one part."""

    name: str

    def broken(self, symbol: str, what: str, member: str = "") -> Difference:
        """Return a difference that breaks users."""
        return Difference(self.name, symbol, member, what, breaking=True)

    def added(self, symbol: str, what: str, member: str = "") -> Difference:
        """Return a difference that leaves what users have in order."""
        return Difference(self.name, symbol, member, what, breaking=False)

    def changed(self, symbol: str, what: str, member: str = "", *, breaking: bool) -> Difference:
        """Return a difference of which a rule has said whether it breaks users."""
        return Difference(self.name, symbol, member, what, breaking=breaking)


def breaks(differences: Iterable[Difference]) -> list[Difference]:
    """Return the breaking ones of some differences."""
    return [each for each in differences if each.breaking]
