"""Removes what a run has created, by plain HTTP, and verifies that nothing is left."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from arcrun_conformance.checks.leaks import KEY_HEADER
from arcrun_conformance.cleaning import parsed_json, visible_line
from arcrun_conformance.target import Target, http_client
from arcrun_conformance.wire.journal import Exchange, Request, body_value

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

PREFIX = "arcconf_"
# More than any account needs: a list with ever new cursors would be read forever.
_MOST_PAGES = 10_000
RUN_ID = re.compile(rf"{PREFIX}[0-9a-f]{{8}}", re.IGNORECASE)


@dataclass(frozen=True)
class Resource:
    """A kind of resource that a scenario can create.

    Attributes:
        kind: The name of the kind, for messages.
        path: The path of the collection: POST creates, GET lists, DELETE of `{path}/{name}` removes.
        name_field: The field that contains the name.
        list_field: The field of the response to GET that contains the list.
        query: The query of the DELETE: what something names is removed all the same.
    """

    kind: str
    path: str
    name_field: str
    list_field: str
    query: str = ""


RESOURCES = (
    Resource("workflow", "/webhooks/named", "name", "workflows"),
    Resource("credential", "/credentials", "name", "credentials"),
    Resource("auth recipe", "/auth-recipes", "service", "recipes", "?force=true"),
)


@dataclass(frozen=True)
class Created:
    """A resource that a request tried to create."""

    resource: Resource
    name: str
    api_key: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.resource.kind} {visible_line(self.name)}"


def created_by(request: Request) -> Created | None:
    """Return what a request creates, with or without a response; `None` for other requests."""
    key = request.header(KEY_HEADER) or ""
    for resource in RESOURCES:
        if request.method == "POST" and request.path == resource.path:
            body = body_value(request.body)
            name = body.get(resource.name_field) if isinstance(body, dict) else None
            return Created(resource, name, key) if isinstance(name, str) and name else None
        if request.method == "PUT" and request.path.startswith(f"{resource.path}/"):
            name = request.path[len(resource.path) + 1 :]
            # What is below a resource, as the label of a recipe, goes with it.
            return Created(resource, name, key) if "/" not in name else None
    return None


def created_in(exchanges: Iterable[Exchange]) -> list[Created]:
    """Return everything that these exchanges may have created, each once; what was refused was not."""
    found = (
        created_by(exchange.request)
        for exchange in exchanges
        if exchange.server == "engine" and not _was_refused(exchange)
    )
    return list(dict.fromkeys(created for created in found if created))


def _was_refused(exchange: Exchange) -> bool:
    own = exchange.fault is None
    return own and exchange.response is not None and 400 <= exchange.response.status < 500


class Cleaner:
    """Removes and lists what a run has left, with requests to the target itself."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._client = http_client(base_url=target.url)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def remove(self, created: Iterable[Created]) -> list[str]:
        """Remove these and return the problems; what no longer exists counts as removed."""
        problems = []
        for thing in created:
            if not RUN_ID.search(thing.name):
                problems.append(f"{thing} has no run id in its name, so it was not removed")
                continue
            await self._target.pace.turn()
            try:
                response = await self._client.delete(
                    f"{thing.resource.path}/{quote(thing.name, safe='')}{thing.resource.query}",
                    # An SDK may have sent any bytes as its key.
                    headers={KEY_HEADER.encode(): thing.api_key.encode("latin-1", "replace")},
                )
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                problems.append(f"{thing} could not be removed: {type(error).__name__}: {error}")
                continue
            # 401: a scenario tried to create it with a wrong key, so it does not exist.
            if response.status_code >= 300 and response.status_code not in {401, 404}:
                problems.append(f"{thing} could not be removed: {response.status_code}")
        return problems

    async def left(self, run: str = PREFIX) -> list[Created]:
        """Return what the target still lists of a run, or of any run.

        Raises:
            httpx.HTTPError: A list can't be read.
            ValueError: A list is not JSON or has no names, or its pages never end.
        """
        found = []
        key = self._target.api_key
        for resource in RESOURCES:
            names = [entry[resource.name_field] async for entry in self._entries(resource)]
            # The deployed engine stores names in upper case
            # (docs/contract.md#differences-from-the-deployed-engine).
            found += [Created(resource, n, key) for n in names if run.lower() in n.lower()]
        return found

    async def _entries(self, resource: Resource) -> AsyncIterator[dict[str, Any]]:
        """Yield the entries of a list, page by page."""
        cursors: list[str] = []
        while True:
            await self._target.pace.turn()
            response = await self._client.get(
                resource.path,
                params={"cursor": cursors[-1]} if cursors else {},
                headers={KEY_HEADER: self._target.api_key},
            )
            if response.status_code == 404:  # an engine without this list holds nothing of it
                return
            response.raise_for_status()
            page = parsed_json(response.content)
            if not _is_page(page, resource):
                raise ValueError(
                    f"the list {resource.path} has no {resource.list_field} with a {resource.name_field} each"
                )
            for entry in page[resource.list_field]:
                yield entry
            cursor = page.get("next_cursor")
            if not cursor:
                return
            if cursor in cursors:
                raise ValueError(f"the list {resource.path} repeats the cursor {cursor!r}")
            if len(cursors) >= _MOST_PAGES:
                raise ValueError(f"the list {resource.path} has more than {_MOST_PAGES} pages")
            cursors.append(cursor)


def _is_page(page: Any, resource: Resource) -> bool:
    """Return whether a response has the shape of a list, of which each entry has a name."""
    entries = page.get(resource.list_field) if isinstance(page, dict) else None
    if not isinstance(entries, list):
        return False
    names = [
        entry.get(resource.name_field) if isinstance(entry, dict) else None for entry in entries
    ]
    cursor = page.get("next_cursor")
    return all(isinstance(each, str) for each in names) and isinstance(cursor, str | None)
