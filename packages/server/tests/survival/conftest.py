"""What the tests of this folder share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from durable_server import Service

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """A service on loopback that counts its requests."""
    made = Service()
    server = await asyncio.start_server(made.connected, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
