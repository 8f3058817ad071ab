"""Defects in what the engine writes to its files."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from arcrun_server.routes.credentials import CredentialRoutes

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


def logs_what_is_pushed() -> None:
    store = CredentialRoutes._store

    async def logged(
        self: CredentialRoutes, request: Request, account: str, name: str, pushed: dict[str, str]
    ) -> Response:
        logging.getLogger("arcrun_server").debug("storing %s: %s", name, pushed)
        return await store(self, request, account, name, pushed)

    CredentialRoutes._store = logged
