"""What the server stores, in SQLite or in PostgreSQL, and beside it the key that opens what is secret in it."""

from __future__ import annotations

import hmac
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sqlalchemy import select

from arcrun_server.errors import StartupError
from arcrun_server.sealing.server_key import FILE_NAME, create_server_key, load_server_key
from arcrun_server.store.accounts import Accounts
from arcrun_server.store.blocks import Blocks
from arcrun_server.store.callbacks import Callbacks
from arcrun_server.store.credentials import Credentials
from arcrun_server.store.cursors import Cursors
from arcrun_server.store.database_url import read_database_url
from arcrun_server.store.device_logins import DeviceLogins
from arcrun_server.store.ended_runs import EndedRuns
from arcrun_server.store.executions import Executions
from arcrun_server.store.folder import FolderLock, prepare_folder, refuse_if_others_may_write
from arcrun_server.store.hook_ids import HookIds
from arcrun_server.store.idempotency import IdempotencyKeys
from arcrun_server.store.identities import Identities
from arcrun_server.store.key_rotation import KeyRotation
from arcrun_server.store.pending_logins import PendingLogins
from arcrun_server.store.probe import Probe
from arcrun_server.store.prompt_texts import PromptTexts
from arcrun_server.store.recipes import Recipes
from arcrun_server.store.recorded_prompts import DEFAULT_DAYS, RecordedPrompts
from arcrun_server.store.run_tokens import RunTokens
from arcrun_server.store.runs import Runs
from arcrun_server.store.schedules import Schedules
from arcrun_server.store.schema import properties
from arcrun_server.store.sessions import Sessions
from arcrun_server.store.sqlite import SQLiteDatabase
from arcrun_server.store.upserts import Upsert
from arcrun_server.store.workflows import Workflows

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from arcrun_server.sealing.server_key import ServerKey
    from arcrun_server.store.database import Database

DATABASE_NAME = "arcrun.db"

# Under this name the database knows its server key.
KEY_CHECK = "server_key_check"
_CHECK = select(properties.c.value).where(properties.c.name == KEY_CHECK)
_ADD_CHECK = Upsert(properties)


class Store:
    """Everything that outlives a request, each kind under its name.

    Args:
        data_dir: Folder of the server key, and of the database if that is SQLite.
        database_url: URL of a PostgreSQL database; by default, the database is SQLite.
        create: Create the folder, for its owner only, and what is in it, if it is not there.
        serving: Whether a server opens it: of these, one at a time may use a SQLite database.
        development: Whether the key of the development mode is valid.
        run_days: How many days what runs have recorded is kept.

    Raises:
        StartupError: The folder, the key or the database can't be used; the text says why and what to do.
    """

    def __init__(
        self,
        data_dir: Path,
        database_url: str | None = None,
        *,
        create: bool = True,
        serving: bool = False,
        development: bool = False,
        run_days: int = DEFAULT_DAYS,
    ) -> None:
        if not create:
            _require(data_dir, FILE_NAME if database_url else DATABASE_NAME)
        prepare_folder(data_dir)
        with ExitStack() as opened:
            if serving and database_url is None:
                opened.callback(FolderLock(data_dir).release)
            if database_url is None:
                _provide_key_of_sqlite(data_dir)
            self.database = open_database(data_dir, database_url)
            opened.callback(self.database.close)
            self.probe = Probe(self.database)
            opened.callback(self.probe.close)
            server_key = _matching_key(self.database, data_dir)
            self._opened = opened.pop_all()
        self.accounts = Accounts(self.database, server_key, development=development)
        self.key_rotation = KeyRotation(self.database, server_key)
        self.identities = Identities(self.database)
        self.sessions = Sessions(self.database, server_key, development=development)
        self.pending_logins = PendingLogins(self.database, server_key)
        self.device_logins = DeviceLogins(self.database, server_key)
        self.credentials = Credentials(self.database, server_key)
        self.schedules = Schedules(self.database)
        self.workflows = Workflows(self.database, self.schedules)
        self.auth_recipes = Recipes(self.database, "auth")
        self.api_recipes = Recipes(self.database, "api")
        self.prompt_recipes = Recipes(self.database, "prompt")
        self.prompt_texts = PromptTexts(self.database)
        self.recorded_prompts = RecordedPrompts(self.database, run_days)
        self.executions = Executions(self.database)
        self.runs = Runs(self.database)
        self.ended_runs = EndedRuns(self.database)
        self.callbacks = Callbacks(self.database)
        self.run_tokens = RunTokens(server_key)
        self.hook_ids = HookIds(server_key)
        self.blocks = Blocks(self.database)
        self.cursors = Cursors(server_key)
        self.idempotency = IdempotencyKeys(self.database, server_key)

    def close(self) -> None:
        """Finish what is being written, then close."""
        self._opened.close()


def _require(data_dir: Path, name: str) -> None:
    if not (data_dir / name).is_file():
        raise StartupError(f"there is no {name} in {data_dir}; name its folder with --data")


def _provide_key_of_sqlite(data_dir: Path) -> None:
    """Create the key before its database: a process that is killed in between leaves a key, which does no harm.

    Raises:
        StartupError: There is a database without its key; it is not opened, and so not upgraded.
    """
    database, key = data_dir / DATABASE_NAME, data_dir / FILE_NAME
    if os.path.lexists(key):
        return
    if database.is_file() and database.stat().st_size > 0:
        raise _missing_key(key)
    create_server_key(key)


def open_database(data_dir: Path, database_url: str | None = None) -> Database:
    """Open the database at this URL, or else the SQLite file in the data folder; create its tables or upgrade them.

    Raises:
        StartupError: It can't be used; the text says why and what to do.
    """
    if database_url is None:
        for suffix in ("", "-wal", "-shm"):
            refuse_if_others_may_write(data_dir / f"{DATABASE_NAME}{suffix}")
        return SQLiteDatabase(data_dir / DATABASE_NAME)
    url = read_database_url(database_url)
    from arcrun_server.store.postgresql import PostgreSQLDatabase  # noqa: PLC0415 - needs the driver

    return PostgreSQLDatabase(url)


def _matching_key(database: Database, data_dir: Path) -> ServerKey:
    """Return the server key under which this database was made; a new database gets the one in the folder.

    Raises:
        StartupError: There is no key, or it is another one.
    """
    path = data_dir / FILE_NAME
    known = database.read_now(read_key_check)
    if os.path.lexists(path):
        key = load_server_key(path)
    elif known is not None:
        raise _missing_key(path)
    else:
        key = create_server_key(path)
    if known is None:
        # Of two servers that start on a new database at once, the first one's key is the key.
        row = {"name": KEY_CHECK, "value": key.check_value()}
        database.write_now(
            lambda connection: connection.execute(_ADD_CHECK.on(connection), row).close()
        )
        known = database.read_now(read_key_check)
    if known is None or not hmac.compare_digest(known, key.check_value()):
        raise StartupError(
            f"{path} is not the server key under which the database was made.\n"
            "Put the right key file back; with this one nothing secret in the database can be opened."
        )
    return key


def read_key_check(connection: Connection) -> bytes | None:
    """Return the check value of the server key under which a database was made; None if no server has used it."""
    return connection.execute(_CHECK).scalar()


def _missing_key(path: Path) -> StartupError:
    return StartupError(
        f"the server key {path} is missing, but the database has been used with one.\n"
        "Put the key file back from your backup, or copy it from the other servers of this database; "
        "a new one could not open what is stored."
    )
