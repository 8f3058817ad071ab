"""What is wrong, apart from what to write in Python: the command line and MCP advise in their own words."""

from __future__ import annotations

from typing import NamedTuple, TypeVar, cast

from .errors import ArcrunError

E = TypeVar("E", bound=ArcrunError)


class Advice(NamedTuple):
    """What an error's text consists of.

    Attributes:
        problem: what is wrong, and where.
        remedy: what helps: a method of the client, as `runs.list`, or an option, as `api_key`; "" if nothing is named.
        path: the place in the argument, as `("config", "fetch")`; empty if the error is not about a part of one.
    """

    problem: str
    remedy: str = ""
    path: tuple[str | int, ...] = ()


def advised(error: E, problem: str, remedy: str = "", path: tuple[str | int, ...] = ()) -> E:
    """Return the error, with its advice."""
    vars(error)["advice"] = Advice(problem, remedy, path)
    return error


def advice_of(error: ArcrunError) -> Advice:
    """Return an error's advice; where it has none, its text is the problem."""
    return cast("Advice", vars(error).get("advice") or Advice(str(error)))
