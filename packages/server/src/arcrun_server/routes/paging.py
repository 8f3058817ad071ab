"""Paged lists: `limit` and `cursor` in, `next_cursor` out (docs/contract.md#lists)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.errors import ApiError, Detail
from arcrun_server.store.pages import PageRequest

if TYPE_CHECKING:
    from starlette.requests import Request

    from arcrun_server.store.cursors import Cursors
    from arcrun_server.store.pages import Page

# How many entries a page has: by default, and at most.
DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200
FIRST_PAGE = PageRequest(DEFAULT_LIMIT)


class Pages:
    """Reads which page of a list is asked for, and says how to ask for the next one.

    Args:
        cursors: Writes and reads the cursors.
    """

    def __init__(self, cursors: Cursors) -> None:
        self._cursors = cursors

    def requested(self, request: Request, listed: str) -> PageRequest:
        """Return what the query asks for.

        Args:
            request: The request.
            listed: Names the list; a cursor is for one list.

        Raises:
            ApiError: 400: the limit or the cursor is not valid.
        """
        if not request.scope["query_string"]:
            return FIRST_PAGE
        cursor = query_parameter(request, "cursor")
        after = None if cursor is None else self._position(cursor, listed)
        return PageRequest(_limit(request), after)

    def next(self, page: Page, listed: str) -> dict[str, str]:
        """Return the field of the response that leads to the next page, if there is one."""
        return {} if page.last is None else {"next_cursor": self._cursors.write(page.last, listed)}

    def _position(self, cursor: str, listed: str) -> Any:
        try:
            return self._cursors.read(cursor, listed)
        except ValueError:
            raise invalid_parameter(
                "cursor",
                "the next_cursor of this list's page before, as it was; leave it out for the first page",
            ) from None


def _limit(request: Request) -> int:
    text = query_parameter(request, "limit")
    if text is None:
        return DEFAULT_LIMIT
    if not (
        text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= LARGEST_LIMIT
    ):
        raise invalid_parameter("limit", f"a whole number from 1 to {LARGEST_LIMIT}")
    return int(text)


def query_parameter(request: Request, name: str) -> str | None:
    """Return a parameter of the query, or None if it was left out.

    Raises:
        ApiError: 400, it is given more than once.
    """
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise invalid_parameter(name, "given once")
    return values[0] if values else None


def invalid_parameter(name: str, rule: str) -> ApiError:
    """Return the error response for a parameter of the query; it must be what the rule says."""
    return ApiError(
        400, "invalid_request", f"{name} must be {rule}", details=[Detail(rule, path=name)]
    )


_TRUE, _FALSE = frozenset({"1", "true"}), frozenset({"0", "false"})


def flag(request: Request, name: str) -> bool:
    """Read a parameter of the query that is true or false; left out, it is false."""
    given = request.query_params.getlist(name)
    text = given[0].lower() if given else "false"
    if len(given) > 1 or text not in _TRUE | _FALSE:
        raise ApiError(
            400,
            "invalid_request",
            f"{name} must be true or false, and given once",
            details=[Detail("true or false", path=name)],
        )
    return text in _TRUE
