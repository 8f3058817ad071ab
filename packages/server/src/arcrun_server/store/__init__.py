"""What the server keeps: one SQLite file, and beside it the key that opens what is secret in it."""

from __future__ import annotations

import hmac
import os
import time
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from arcrun_server.errors import StartupError
from arcrun_server.sealing.server_key import FILE_NAME, create_server_key, load_server_key
from arcrun_server.store.accounts import Accounts
from arcrun_server.store.answers import Answers
from arcrun_server.store.credentials import Credentials
from arcrun_server.store.database import Database, Query
from arcrun_server.store.executions import Executions
from arcrun_server.store.recipes import Recipes
from arcrun_server.store.schema import facts
from arcrun_server.store.workflows import Workflows

if TYPE_CHECKING:
    from pathlib import Path

    from arcrun_server.sealing.server_key import ServerKey

DATABASE_NAME = "arcrun.db"
TOUCHED_SECONDS = 0.25
_CHECK = "server_key_check"


class Store:
    """Everything that outlives a request, each kind under its name.

    Args:
        data_dir: Folder of the database and of the server key.
        create: Make the folder, for its owner only, and what is in it, if it is not there.

    Raises:
        StartupError: The folder, the key or the database can't be used; the text says why and what to do.
    """

    def __init__(self, data_dir: Path, *, create: bool = True) -> None:
        if not create and not (data_dir / DATABASE_NAME).is_file():
            raise StartupError(
                f"there is no {DATABASE_NAME} in {data_dir}; name its folder with --data"
            )
        try:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StartupError(
                f"cannot make the data folder {data_dir}: {error.strerror}"
            ) from None
        path = data_dir / DATABASE_NAME
        server_key = _server_key(
            data_dir, database_exists=path.is_file() and path.stat().st_size > 0
        )
        self.database = Database(path)
        try:
            self._match(server_key.check_value(), data_dir)
        except StartupError:
            self.database.close()
            raise
        self._touched = -TOUCHED_SECONDS
        self.accounts = Accounts(self.database, server_key)
        self.credentials = Credentials(self.database, server_key)
        self.workflows = Workflows(self.database)
        self.auth_recipes = Recipes(self.database, "auth")
        self.api_recipes = Recipes(self.database, "api")
        self.executions = Executions(self.database)
        self.answers = Answers(self.database, server_key)

    async def ping(self) -> None:
        """Touch the database, unless it answered within the last `TOUCHED_SECONDS`.

        Raises:
            StorageUnavailableError: It can't be used now.
        """
        now = time.monotonic()
        if now - self._touched >= TOUCHED_SECONDS:
            await self.database.rows(_TOUCH)
            self._touched = now

    def close(self) -> None:
        """Finish what is being written, then close."""
        self.database.close()

    def _match(self, check: bytes, data_dir: Path) -> None:
        """Refuse a server key that is not the one under which this database was made."""
        statement = select(facts.c.value).where(facts.c.name == _CHECK)
        known = self.database.read_now(lambda connection: connection.execute(statement).scalar())
        if known is None:
            self.database.write_now(
                lambda connection: connection.execute(
                    insert(facts).prefix_with("OR IGNORE").values(name=_CHECK, value=check)
                )
            )
        elif not hmac.compare_digest(known, check):
            raise StartupError(
                f"{data_dir / FILE_NAME} is not the server key under which {data_dir / DATABASE_NAME} was made.\n"
                "Put the right key file back; with this one nothing in the database can be opened."
            )


_TOUCH = Query(select(facts.c.name))  # it has one row


def _server_key(data_dir: Path, *, database_exists: bool) -> ServerKey:
    path = data_dir / FILE_NAME
    if os.path.lexists(path):
        return load_server_key(path)
    if database_exists:
        raise StartupError(
            f"the server key {path} is missing, but there is a database beside where it was.\n"
            "Put the key file back from your backup; a new one could not open what is stored."
        )
    return create_server_key(path)
