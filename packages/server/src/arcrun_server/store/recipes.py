"""Recipes that accounts have pushed, of all kinds: versions that never change, and labels that point to them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from arcrun_server import clock
from arcrun_server.recipes.reference import DEFAULT_LABEL
from arcrun_server.recipes.versions import (
    Label,
    StoredVersion,
    UnknownVersionError,
    VersionConflictError,
)
from arcrun_server.store.database import Query
from arcrun_server.store.pages import PagedQuery
from arcrun_server.store.schema import (
    deleted_recipes,
    recipe_labels,
    recipe_versions,
    recipes,
    recorded_prompts,
)
from arcrun_server.store.types import Whole
from arcrun_server.store.upserts import Upsert
from arcrun_server.store.workflows import timestamp

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Connection

    from arcrun_server.recipes.reference import Reference
    from arcrun_server.recipes.versions import NewVersion
    from arcrun_server.store.database import Database
    from arcrun_server.store.pages import Page, PageRequest

_recipe, _version, _label = recipes.c, recipe_versions.c, recipe_labels.c
_KEY = ["account", "kind", "name"]


def _same(one: Any, other: Any) -> tuple[ColumnElement[bool], ...]:
    return tuple(one[name] == other[name] for name in _KEY)


def _own(columns: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return columns.account == bindparam("account"), columns.kind == bindparam("kind")


def _named(columns: Any) -> tuple[ColumnElement[bool], ...]:
    return (*_own(columns), columns.name == bindparam("name"))


_BY_ANY_NAME = or_(_recipe.name == bindparam("name"), _recipe.hash_id == bindparam("name"))
_OF_LABEL = (
    select(_label.version)
    .where(*_same(_label, _recipe), _label.label == bindparam("label"))
    .scalar_subquery()
)
_IN_FORCE = (
    *_same(_version, _recipe),
    _version.version
    == func.coalesce(
        select(_label.version)
        .where(*_same(_label, _recipe), _label.label == DEFAULT_LABEL)
        .scalar_subquery(),
        _recipe.newest,
    ),
)
_LIST = PagedQuery(
    [_recipe.name, _recipe.newest, _recipe.description],
    position=_recipe.name,
    where=_own(_recipe),
)
_RECORDS = PagedQuery(
    [_recipe.name, _version.version, _version.recipe],
    position=_recipe.name,
    where=[*_own(_recipe), *_IN_FORCE],
)
_VERSIONS = PagedQuery(
    [_version.version, _version.message, _version.created_at_ms],
    position=_version.version,
    where=_named(_version),
    descending=True,
)
_NAMES = Query(select(_recipe.name, _recipe.hash_id).where(*_own(_recipe)))
# The number that is asked for, else that of the label, else the newest; its row is empty if there is no such version.
_ONE = Query(
    select(
        _recipe.name,
        _recipe.newest,
        _OF_LABEL.label("of_label"),
        _version.version,
        _version.recipe,
        _version.source,
        _version.pins,
        _version.message,
        _version.created_at_ms,
    )
    .select_from(
        recipes.outerjoin(
            recipe_versions,
            and_(
                *_same(_version, _recipe),
                _version.version
                == func.coalesce(bindparam("number", type_=Whole), _OF_LABEL, _recipe.newest),
            ),
        )
    )
    .where(*_own(_recipe), _BY_ANY_NAME)
)
# They are about versions that are gone.
_FORGET = delete(recorded_prompts).where(
    recorded_prompts.c.account == bindparam("account"),
    recorded_prompts.c.recipe == bindparam("name"),
)
_SET_LABEL = Upsert(recipe_labels, replaced=["version", "requires_tests"])


def _push(dialect: Any) -> Any:
    """Return the statement that counts a new version, or begins to count."""
    statement = dialect.insert(recipes)
    return statement.on_conflict_do_update(
        index_elements=_KEY,
        set_={"newest": _recipe.newest + 1, "description": statement.excluded.description},
    ).returning(_recipe.newest)


def _create(dialect: Any) -> Any:
    statement = dialect.insert(recipes)
    return statement.on_conflict_do_nothing(index_elements=_KEY).returning(_recipe.newest)


_NOTE_DELETED = Upsert(deleted_recipes, replaced=["newest"])
_PUSH = {"sqlite": _push(sqlite), "postgresql": _push(postgresql)}
_CREATE = {"sqlite": _create(sqlite), "postgresql": _create(postgresql)}


class Recipes:
    """The recipes of one kind of all accounts of one database; every method takes the account.

    Args:
        database: Where they are.
        kind: `auth`, `api` or `prompt`.
    """

    def __init__(self, database: Database, kind: str) -> None:
        self._database = database
        self._kind = kind

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
        key = self._key(account, name)

        def change(connection: Connection) -> StoredVersion:
            row = {
                **key,
                "version": _count(connection, key, new, expected),
                "source": new.source,
                "recipe": json.dumps(new.recipe, ensure_ascii=False),
                "pins": json.dumps(new.pins),
                "message": new.message,
                "created_at_ms": now,
            }
            connection.execute(insert(recipe_versions).values(**row))
            return StoredVersion(
                name=name,
                version=row["version"],
                recipe=new.recipe,
                source=new.source,
                pins=new.pins,
                message=new.message,
                created_at=timestamp(now),
            )

        return await self._database.write(change)

    async def get(self, account: str, reference: Reference) -> StoredVersion | None:
        """Return the version that a reference names, or None; the name may be the recipe's hash.

        Raises:
            UnknownVersionError: The recipe is there, but not this version or label.
        """
        rows = await self._database.rows(
            _ONE,
            **self._key(account, reference.name),
            label=reference.label or DEFAULT_LABEL,
            number=reference.version,
        )
        if not rows:
            return None
        name, newest, of_label, version, recipe, source, pins, message, created_at_ms = rows[0]
        if reference.label is not None and of_label is None:
            raise UnknownVersionError(f"no label {reference.label!r}", newest)
        if version is None:
            raise UnknownVersionError(f"no version {reference.version}", newest)
        return StoredVersion(
            name=name,
            version=version,
            recipe=json.loads(recipe),
            source=source,
            pins=json.loads(pins),
            message=message,
            created_at=timestamp(created_at_ms),
        )

    async def list(self, account: str, request: PageRequest) -> Page:
        """Return name, newest version and description of a page of them, sorted by name."""
        return await _LIST.page(self._database, request, account=account, kind=self._kind)

    async def records(self, account: str, request: PageRequest) -> Page:
        """Return name, number and recipe of a page of the versions that a name alone stands for, sorted by name."""
        page = await _RECORDS.page(self._database, request, account=account, kind=self._kind)
        entries = [{**entry, "recipe": json.loads(entry["recipe"])} for entry in page.entries]
        return replace(page, entries=entries)

    async def own_names(self, account: str) -> set[str]:
        """Return their names."""
        rows = await self._database.rows(_NAMES, account=account, kind=self._kind)
        return {name for name, _ in rows}

    async def which(self, account: str, names: Collection[str]) -> set[str]:
        """Return which of these names are those of recipes of the account."""
        statement = select(_recipe.name).where(*_own(_recipe), _recipe.name.in_(names))
        parameters = {"account": account, "kind": self._kind}
        return await self._database.read(
            lambda connection: set(connection.execute(statement, parameters).scalars())
        )

    async def names(self, account: str) -> set[str]:
        """Return the names and hashes under which they are found."""
        rows = await self._database.rows(_NAMES, account=account, kind=self._kind)
        return {name for row in rows for name in row if name is not None}

    async def versions(self, account: str, name: str, request: PageRequest) -> Page:
        """Return number, message and time of a page of versions, newest first."""
        page = await _VERSIONS.page(self._database, request, **self._key(account, name))
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
            .where(*_named(_label))
            .order_by(_label.label)
        )
        key = self._key(account, name)
        rows = await self._database.read(lambda found: found.execute(statement, key).all())
        return {row.label: Label(row.version, row.requires_tests) for row in rows}

    async def set_label(self, account: str, name: str, label: str, points_to: Label) -> bool:
        """Let a label point to a version; return False if there is no such version."""
        key = self._key(account, name)
        row = {**key, "label": label, **vars(points_to)}
        exists = select(_version.version).where(
            *_named(_version), _version.version == points_to.version
        )

        def change(connection: Connection) -> bool:
            if connection.execute(exists, key).first() is None:
                return False
            connection.execute(_SET_LABEL.on(connection), row).close()
            return True

        return await self._database.write(change)

    async def remove_label(self, account: str, name: str, label: str) -> bool:
        """Remove a label; return False if it was not there."""
        statement = delete(recipe_labels).where(*_named(_label), _label.label == label)
        key = self._key(account, name)
        return await self._database.write(
            lambda connection: connection.execute(statement, key).rowcount > 0
        )

    async def delete(self, account: str, name: str) -> bool:
        """Remove a recipe with its versions, labels and recorded prompts; return False if it was not there.

        Its numbers are not given again: a run, or a test that takes a while, may still name one.
        """
        statement = delete(recipes).where(*_named(_recipe)).returning(_recipe.newest)
        key = self._key(account, name)

        def change(connection: Connection) -> bool:
            newest = connection.execute(statement, key).scalar()
            if newest is None:
                return False
            connection.execute(_NOTE_DELETED.on(connection), {**key, "newest": newest}).close()
            if self._kind == "prompt":
                connection.execute(_FORGET, {"account": account, "name": name}).close()
            return True

        return await self._database.write(change)

    async def holding(self, account: str, text: str, most: int) -> Sequence[str]:
        """Return the names of recipes of which the newest or a labelled version, as JSON, holds a text; at most so many."""
        labelled = select(_label.version).where(*_same(_label, _recipe))
        statement = (
            select(_recipe.name)
            .where(
                *_own(_recipe),
                *_same(_version, _recipe),
                or_(_version.version == _recipe.newest, _version.version.in_(labelled)),
                _version.recipe.contains(text, autoescape=True),
            )
            .distinct()
            .order_by(_recipe.name)
            .limit(most)
        )
        parameters = {"account": account, "kind": self._kind}
        return await self._database.read_long(
            lambda connection: connection.execute(statement, parameters).scalars().all()
        )

    def _key(self, account: str, name: str) -> dict[str, Any]:
        return {"account": account, "kind": self._kind, "name": name}


def _first(key: dict[str, Any]) -> ColumnElement[int]:
    """Return the number of a recipe's first version: none of a deleted recipe is given again."""
    columns = deleted_recipes.c
    deleted = select(columns.newest).where(*(columns[name] == key[name] for name in _KEY))
    return func.coalesce(deleted.scalar_subquery(), 0) + 1


def _count(
    connection: Connection, key: dict[str, Any], new: NewVersion, expected: int | None
) -> int:
    """Count a new version and return its number; the row stays locked until the version is stored."""
    row = {**key, "hash_id": new.hash_id, "newest": _first(key), "description": new.description}
    if expected is None:
        version = connection.execute(_PUSH[connection.dialect.name].values(**row)).scalar()
    elif expected == 0:
        version = connection.execute(_CREATE[connection.dialect.name].values(**row)).scalar()
    else:
        changed = (
            update(recipes)
            .where(*(recipes.c[name] == value for name, value in key.items()))
            .where(_recipe.newest == expected)
            .values(newest=expected + 1, description=new.description)
            .returning(_recipe.newest)
        )
        version = connection.execute(changed).scalar()
    if version is None:
        newest = connection.execute(select(_recipe.newest).where(*_named(_recipe)), key).scalar()
        raise VersionConflictError(newest or 0)
    return int(version)
