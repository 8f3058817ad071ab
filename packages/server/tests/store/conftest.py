from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from arcrun_server.store import open_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from arcrun_server.store.database import Database


@pytest.fixture
def database(tmp_path: Path, database_url: str | None) -> Iterator[Database]:
    """An empty database of the newest version."""
    database = open_database(tmp_path, database_url)
    yield database
    database.close()
