# Generated from _async by scripts/unasync.py: edit there.
"""The catalog of components: listed, read, searched."""

from __future__ import annotations

import builtins
from collections.abc import Mapping

from arcrun._core import operations
from arcrun._core.operations import Page
from arcrun._core.request import Request
from arcrun._core.types import Component, ComponentResult

from .connection import Connection

_CAPABILITY = "components"


class Components:
    """`client.components`: what a node of a workflow can be."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(
        self,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> list[Component]:
        """List all components of the catalog.

        Args:
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            InvalidArgumentError: the engine has no catalog.
            APIStatusError: the engine refused.

        Example:
            >>> found = client.components.list()
            >>> "claude_api" in [component["canonical_id"] for component in found]
            True
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        connection.require(_CAPABILITY, "catalog of components")
        return connection.send_all(operations.list_components)

    def get(
        self,
        id: str,  # noqa: A002 - the contract's word
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Component:
        """Return a component: its parameters, its result, an example.

        Args:
            id: the component's id, as a node names it.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such component.
            InvalidArgumentError: the id is not valid, or the engine has no catalog.

        Example:
            >>> component = client.components.get("if_control")
            >>> component["branches"]
            ['true', 'false']
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        request = operations.get_component(id)
        connection.require(_CAPABILITY, "catalog of components")
        return connection.send(request)

    def search(
        self,
        query: str,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> builtins.list[ComponentResult]:
        """Find what a node can name: components, and recipes of all kinds, also your own.

        Args:
            query: words of the id, the name, the category or the description, in any script.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            InvalidArgumentError: the query is not valid, or the engine has no catalog.
            APIStatusError: the engine refused.

        Example:
            >>> found = client.components.search("if_control")
            >>> [(result["kind"], result["canonical_id"]) for result in found]
            [('component', 'if_control')]
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)

        def page_at(cursor: str | None) -> Request[Page[ComponentResult]]:
            return operations.search_components(query, cursor)

        page_at(None)
        connection.require(_CAPABILITY, "catalog of components")
        return connection.send_all(page_at)
