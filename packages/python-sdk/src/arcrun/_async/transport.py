"""The transport of clients: pools of connections, directly or by a proxy."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from arcrun._concurrency import async_scope, is_alive
from arcrun._http import MAX_CONNECTIONS, httpx, origin, pool_for, proxy_for, unobserved

_Way = tuple[str, str | None]  # a scheme, and the proxy if there is one


class AsyncEnvironmentTransport(httpx.AsyncBaseTransport):
    """Sends requests by the environment's proxies, if any, as `httpx.AsyncClient()` does.

    Each process and each event loop gets connections of its own: shared after a fork, one would read
    the other's responses, and those of a loop that has ended can't be used.
    """

    def __init__(self, max_connections: int = MAX_CONNECTIONS, *, hidden: bool = False) -> None:
        """Prepare to send; nothing is opened yet.

        Args:
            max_connections: how many connections each process and loop may have, by each scheme and proxy.
            hidden: whether requests hold secrets, and are not shown to instrumentation of httpx.
        """
        self._max_connections = max_connections
        self._hidden = hidden
        self._pools: dict[Hashable, dict[_Way, httpx.AsyncHTTPTransport]] = {}
        self._proxies: dict[str, str | None] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        pool = self._pool(request.url)
        if self._hidden:
            return await unobserved(pool, pool.handle_async_request, "handle_async_request")(
                request
            )
        return await pool.handle_async_request(request)

    def _pool(self, url: httpx.URL) -> httpx.AsyncHTTPTransport:
        target, here = origin(url), async_scope()
        if target not in self._proxies:
            self._proxies[target] = proxy_for(url)
        proxy = self._proxies[target]
        if here not in self._pools:
            self._pools = {own: pools for own, pools in self._pools.items() if is_alive(own)}
        pools = self._pools.setdefault(here, {})
        way = (url.scheme, proxy)
        if way not in pools:
            return pools.setdefault(way, self._timed_pool(url, proxy))
        return pools[way]

    def _timed_pool(self, url: httpx.URL, proxy: str | None) -> httpx.AsyncHTTPTransport:
        """Return a new pool, in which the time of a request is that of the whole."""
        from .network import AsyncTimedBackend

        made = pool_for(httpx.AsyncHTTPTransport, url, proxy, self._max_connections)
        # httpx has no option for it; without these two names each wait has a time-out of its own.
        connections: Any = getattr(made, "_pool", None)
        inner = getattr(connections, "_network_backend", None)
        if inner is not None:
            connections._network_backend = AsyncTimedBackend(inner)  # noqa: SLF001 - see above
        return made

    async def aclose(self) -> None:
        """Close the connections."""
        pools, self._pools = self._pools.get(async_scope(), {}), {}
        for pool in pools.values():
            await pool.aclose()
