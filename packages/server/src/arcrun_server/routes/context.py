"""What the routes share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arcrun_server.accounts.keys import account_of, optional_account_of
from arcrun_server.errors import ApiError, Detail
from arcrun_server.web.body import read_body

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from starlette.requests import Request

    from arcrun_server.components.registry import Registry
    from arcrun_server.recipes.catalog import Catalog
    from arcrun_server.routes.large_bodies import BodyChecks
    from arcrun_server.routes.paging import Pages
    from arcrun_server.runs.accepted import AcceptedRuns
    from arcrun_server.runs.service import RunService
    from arcrun_server.settings import Settings
    from arcrun_server.store import Store
    from arcrun_server.telemetry.telemetry import Telemetry
    from arcrun_server.web.event_stream import OpenStreams

_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True)
class Context:
    """The server's parts, passed to each group of routes.

    Args:
        settings: The settings of the server.
        store: What is stored.
        catalog: The recipes that are shipped.
        registry: The components of this engine.
        runs: Runs workflows.
        streams: The event streams that are open.
        accepted: Keeps runs that outlive this process; None if the server does not.
        pages: Pages of lists.
        checks: Checks bodies and graphs.
        telemetry: What operators see.
    """

    settings: Settings
    store: Store
    catalog: Catalog
    registry: Registry
    runs: RunService
    pages: Pages
    checks: BodyChecks
    telemetry: Telemetry
    streams: OpenStreams
    accepted: AcceptedRuns | None = None

    async def account(self, request: Request) -> str:
        """Return the account of the request's key, or raise 401."""
        return await account_of(request, self.store.accounts)

    async def account_by_bearer(self, request: Request) -> str:
        """As `account`, for routes that also take the key as `Authorization: Bearer`."""
        return await account_of(request, self.store.accounts, bearer=True)

    async def optional_account(self, request: Request) -> str | None:
        """Return the account of the request's key, None without a key, or raise 401 for an unknown one."""
        return await optional_account_of(request, self.store.accounts)

    async def json(
        self, request: Request, schema: TypeAdapter[Any], code: str = "invalid_request"
    ) -> Any:
        """Read the body and check it against a schema of the contract, or raise 400, 413 or 415."""
        content = await read_body(request, self.settings.max_body_bytes)
        return await self.checks.parse(content, schema, code)

    async def known_components(self, account: str | None) -> frozenset[str]:
        """Return the ids that a graph of this account may name, besides built-ins and URLs.

        Of a recipe that has versions there is also `NAME@`.
        """
        known = self.registry.ids | self.catalog.auth.names | self.catalog.api.names
        if account is None:
            return known
        own = await self.store.auth_recipes.names(account)
        own |= await self.store.api_recipes.names(account)
        return known | own | {f"{name}@" for name in own - known}

    async def account_if_known(self, request: Request) -> str | None:
        """Return the account of the request's key, or None: for routes that need no key and accept any."""
        try:
            return await self.optional_account(request)
        except ApiError:
            return None

    def durable_runs(
        self, what: str, otherwise: str = "leave async out and wait for the result"
    ) -> AcceptedRuns:
        """Return the runs that outlive this process, or raise 400 if this server keeps none.

        Args:
            what: What was asked for.
            otherwise: What the client can do.
        """
        if self.accepted is None:
            raise ApiError(
                400,
                "invalid_request",
                f"this engine does not keep runs ({what}): it has no capability durable_runs",
                requires="durable_runs",
                next_actions=[otherwise],
            )
        return self.accepted

    def base_url(self, request: Request) -> str:
        """Return the URL under which this client reaches the server, without a slash at its end."""
        if self.settings.public_url is not None:
            return self.settings.public_url
        host = request.headers.get("host", "")
        if not _HOST.fullmatch(host):
            name, port = request.scope.get("server") or ("127.0.0.1", None)
            host = f"{name}:{port}" if port else name
        return f"{request.scope['scheme']}://{host}"


def path_name(request: Request, parameter: str, pattern: re.Pattern[str], rule: str) -> str:
    """Return a name from the path.

    Args:
        request: The request.
        parameter: Name of the path's parameter.
        pattern: What it must match in full.
        rule: The same as text.

    Raises:
        ApiError: 400 `invalid_name`.
    """
    name: str = request.path_params[parameter]
    if not pattern.fullmatch(name):
        raise ApiError(
            400,
            "invalid_name",
            f"the {parameter} in the path is not a valid name: {rule}",
            details=[Detail(rule, path=parameter)],
        )
    return name
