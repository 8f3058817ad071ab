"""Prompt recipes of all accounts: versions that never change, and labels that point to them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from arcrun_server import clock
from arcrun_server.recipes.prompt.reference import DEFAULT_LABEL
from arcrun_server.recipes.prompt.stored import (
    Label,
    StoredVersion,
    UnknownVersionError,
    VersionConflictError,
)
from arcrun_server.store.pages import PagedQuery
from arcrun_server.store.schema import (
    prompt_recipe_labels,
    prompt_recipe_versions,
    prompt_recipes,
)
from arcrun_server.store.upserts import Upsert
from arcrun_server.store.workflows import timestamp

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row

    from arcrun_server.recipes.prompt.reference import Reference
    from arcrun_server.recipes.prompt.stored import NewVersion
    from arcrun_server.store.database import Database
    from arcrun_server.store.pages import Page, PageRequest

_recipe, _version, _label = prompt_recipes.c, prompt_recipe_versions.c, prompt_recipe_labels.c
_LIST = PagedQuery(
    [_recipe.name, _recipe.newest, _recipe.description],
    position=_recipe.name,
    where=[_recipe.account == bindparam("account")],
)
_VERSIONS = PagedQuery(
    [_version.version, _version.message, _version.created_at_ms],
    position=_version.version,
    where=[_version.account == bindparam("account"), _version.name == bindparam("name")],
    descending=True,
)
_SET_LABEL = Upsert(prompt_recipe_labels, replaced=["version", "requires_tests"])


def _push(dialect: Any) -> Any:
    """Return the statement that counts a new version, or begins to count."""
    statement = dialect.insert(prompt_recipes)
    return statement.on_conflict_do_update(
        index_elements=["account", "name"],
        set_={"newest": _recipe.newest + 1, "description": statement.excluded.description},
    ).returning(_recipe.newest)


def _create(dialect: Any) -> Any:
    statement = dialect.insert(prompt_recipes)
    return statement.on_conflict_do_nothing(index_elements=["account", "name"]).returning(
        _recipe.newest
    )


_PUSH = {"sqlite": _push(sqlite), "postgresql": _push(postgresql)}
_CREATE = {"sqlite": _create(sqlite), "postgresql": _create(postgresql)}


class PromptRecipes:
    """The prompt recipes of all accounts of one database; every method takes the account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def push(
        self, account: str, name: str, new: NewVersion, expected: int | None = None
    ) -> StoredVersion:
        """Store a new version.

        Args:
            account: Whose recipe it is.
            name: Its name.
            new: What was pushed.
            expected: The number that the newest version must have; 0 for a recipe that must not be there.

        Raises:
            VersionConflictError: The newest version has another number.
        """
        now = int(clock.now() * 1000)

        def change(connection: Connection) -> StoredVersion:
            version = _count(connection, account, name, new.description, expected)
            row = {
                "account": account,
                "name": name,
                "version": version,
                "source": new.source,
                "recipe": json.dumps(new.recipe, ensure_ascii=False),
                "pins": json.dumps(new.pins),
                "message": new.message,
                "created_at_ms": now,
            }
            connection.execute(insert(prompt_recipe_versions).values(**row))
            return StoredVersion(
                name=name,
                version=version,
                source=new.source,
                recipe=new.recipe,
                pins=new.pins,
                message=new.message,
                created_at=timestamp(now),
            )

        return await self._database.write(change)

    async def get(self, account: str, reference: Reference) -> StoredVersion | None:
        """Return the version that a reference names, or None.

        Raises:
            UnknownVersionError: The recipe is there, but not this version or label.
        """

        def read(connection: Connection) -> StoredVersion | None:
            version = _chosen(connection, account, reference)
            if version is None:
                return None
            row = connection.execute(
                select(prompt_recipe_versions).where(
                    *_own(_version, account, reference.name), _version.version == version
                )
            ).first()
            if row is None:
                raise UnknownVersionError(
                    f"no version {version}", _newest(connection, account, reference.name)
                )
            return _stored(row)

        return await self._database.read(read)

    async def list(self, account: str, request: PageRequest) -> Page:
        """Return name, newest version and description of a page of them, sorted by name."""
        return await _LIST.page(self._database, request, account=account)

    async def names(self, account: str) -> set[str]:
        """Return their names."""
        statement = select(_recipe.name).where(_recipe.account == account)
        return await self._database.read(
            lambda connection: set(connection.execute(statement).scalars())
        )

    async def versions(self, account: str, name: str, request: PageRequest) -> Page:
        """Return number, message and time of a page of versions, newest first."""
        page = await _VERSIONS.page(self._database, request, account=account, name=name)
        entries = [
            {
                "version": entry["version"],
                "message": entry["message"],
                "created_at": timestamp(entry["created_at_ms"]),
            }
            for entry in page.entries
        ]
        return replace(page, entries=entries)

    async def labels(self, account: str, name: str) -> dict[str, Label]:
        """Return the labels of a recipe, by name."""
        statement = (
            select(_label.label, _label.version, _label.requires_tests)
            .where(*_own(_label, account, name))
            .order_by(_label.label)
        )
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return {row.label: Label(row.version, row.requires_tests) for row in rows}

    async def set_label(self, account: str, name: str, label: str, points_to: Label) -> bool:
        """Let a label point to a version; return False if there is no such version."""
        row = {
            "account": account,
            "name": name,
            "label": label,
            "version": points_to.version,
            "requires_tests": points_to.requires_tests,
        }
        exists = select(_version.version).where(
            *_own(_version, account, name), _version.version == points_to.version
        )

        def change(connection: Connection) -> bool:
            if connection.execute(exists).first() is None:
                return False
            connection.execute(_SET_LABEL.on(connection), row).close()
            return True

        return await self._database.write(change)

    async def remove_label(self, account: str, name: str, label: str) -> bool:
        """Remove a label; return False if it was not there."""
        statement = delete(prompt_recipe_labels).where(
            *_own(_label, account, name), _label.label == label
        )
        return await self._database.write(
            lambda connection: connection.execute(statement).rowcount > 0
        )

    async def delete(self, account: str, name: str) -> bool:
        """Remove a recipe with its versions and labels; return False if it was not there."""
        statement = delete(prompt_recipes).where(*_own(_recipe, account, name))
        return await self._database.write(
            lambda connection: connection.execute(statement).rowcount > 0
        )


def _own(columns: Any, account: str, name: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return columns.account == account, columns.name == name


def _count(
    connection: Connection, account: str, name: str, description: str, expected: int | None
) -> int:
    """Count a new version and return its number; the row stays locked until the version is stored."""
    row = {"account": account, "name": name, "newest": 1, "description": description}
    if expected is None:
        statement: Any = _PUSH[connection.dialect.name].values(**row)
    elif expected == 0:
        statement = _CREATE[connection.dialect.name].values(**row)
    else:
        statement = (
            update(prompt_recipes)
            .where(*_own(_recipe, account, name), _recipe.newest == expected)
            .values(newest=expected + 1, description=description)
            .returning(_recipe.newest)
        )
    version: int | None = connection.execute(statement).scalar()
    if version is None:
        raise VersionConflictError(_newest(connection, account, name) or 0)
    return version


def _newest(connection: Connection, account: str, name: str) -> int | None:
    statement = select(_recipe.newest).where(*_own(_recipe, account, name))
    newest: int | None = connection.execute(statement).scalar()
    return newest


def _chosen(connection: Connection, account: str, reference: Reference) -> int | None:
    """Return the number of the version that a reference names; None if there is no such recipe."""
    newest = _newest(connection, account, reference.name)
    if newest is None or reference.version is not None:
        return None if newest is None else reference.version
    wanted = reference.label or DEFAULT_LABEL
    statement = select(_label.version).where(
        *_own(_label, account, reference.name), _label.label == wanted
    )
    version: int | None = connection.execute(statement).scalar()
    if version is None and reference.label is not None:
        raise UnknownVersionError(f"no label {reference.label!r}", newest)
    return newest if version is None else version


def _stored(row: Row[Any]) -> StoredVersion:
    return StoredVersion(
        name=row.name,
        version=row.version,
        source=row.source,
        recipe=json.loads(row.recipe),
        pins=json.loads(row.pins),
        message=row.message,
        created_at=timestamp(row.created_at_ms),
    )
