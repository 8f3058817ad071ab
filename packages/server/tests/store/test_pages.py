"""Pages: how often the database is asked for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.store.pages import Page, PagedQuery, PageRequest
from arcrun_server.store.schema import properties

if TYPE_CHECKING:
    from arcrun_server.store.database import Query

NAMES = PagedQuery([properties.c.name], position=properties.c.name, where=[])


class Rows:
    """A database with these rows, of which each query about how many there are says 7."""

    def __init__(self, *names: str) -> None:
        self.names, self.asked = names, 0

    async def rows(self, query: Query, count: int | None = None, **_: Any) -> list[tuple[Any, ...]]:
        self.asked += 1
        return [(7,)] if count is None else [(name, name) for name in self.names[:count]]


@pytest.mark.parametrize(
    ("names", "after", "asked", "total", "last"),
    [
        ("a", None, 1, 1, None),
        ("ab", None, 1, 2, None),
        ("abc", None, 2, 7, "b"),
        ("c", "b", 2, 7, None),
    ],
    ids=["less than a page", "a page", "more than a page", "the last page"],
)
async def test_a_list_that_one_page_shows_is_counted_without_asking_again(
    names: str, after: str | None, asked: int, total: int, last: str | None
) -> None:
    database: Any = Rows(*names)
    page = await NAMES.page(database, PageRequest(2, after))
    assert page == Page([{"name": name} for name in names[:2]], total, last)
    assert database.asked == asked
