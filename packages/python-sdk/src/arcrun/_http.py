"""The HTTP client. No other module imports httpx."""

from __future__ import annotations

import functools
import ssl

import httpx

from ._core.errors import APIConnectionError, APITimeoutError
from ._version import __version__

__all__ = [
    "HEADERS",
    "USER_AGENT",
    "connection_error",
    "httpx",
    "limits",
    "origin",
    "proxy_for",
    "ssl_context",
    "stripped",
]

USER_AGENT = f"arcrun-python/{__version__}"
HEADERS = {"User-Agent": USER_AGENT, "Accept": "application/json"}
TIMEOUT = 60.0  # seconds, for each attempt of a call
CONNECT_TIMEOUT = 5.0  # seconds


@functools.cache
def ssl_context() -> ssl.SSLContext:
    """Return the SSL context that all clients share: making one takes 20 ms."""
    return httpx.create_ssl_context()


@functools.lru_cache(maxsize=8)
def limits(timeout: float) -> httpx.Timeout:
    """Return the time-outs of a request: `timeout` seconds, of which 5 at most to connect."""
    return httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT))


def origin(url: httpx.URL) -> str:
    """Return the origin that httpx will connect to, in the form that `origins.origin_of` returns."""
    port = f":{url.port}" if url.port is not None else ""  # httpx drops the default port
    host = url.raw_host.decode("ascii")
    return f"{url.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def stripped(error: Exception) -> Exception:
    """Return an exception without its traceback and causes: their frames hold secrets."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def connection_error(method: str, url: str, error: httpx.RequestError) -> APIConnectionError:
    """Return the typed error for a request that got no response, or only a part of one."""
    timed_out = isinstance(error, httpx.TimeoutException)
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    kind, what = (
        (APITimeoutError, "did not respond in time")
        if timed_out
        else (APIConnectionError, "could not be reached, or closed the connection")
    )
    failure = kind(f"{method} {url}: the engine {what} ({reason})")
    error.request = httpx.Request(method, url)  # httpx's own may hold a plain credential
    failure.__cause__ = stripped(error)
    return failure


def proxy_for(url: httpx.URL) -> str | None:
    """Return the proxy that the environment sets for a URL (HTTPS_PROXY, NO_PROXY, …)."""
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(url.netloc.decode("ascii")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
