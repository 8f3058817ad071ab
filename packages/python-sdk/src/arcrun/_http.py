"""The one place that imports httpx, and what the SDK needs around it."""

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
    """Return the SSL context that all clients share: to make one takes 20 ms."""
    return httpx.create_ssl_context()


@functools.lru_cache(maxsize=8)
def limits(timeout: float) -> httpx.Timeout:
    """Return the time-outs of a request that may take `timeout` seconds."""
    return httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT))


def origin(url: httpx.URL) -> str:
    """Return the origin of a URL as httpx will connect to it, in the form of `origins.origin_of`."""
    port = f":{url.port}" if url.port is not None else ""  # httpx drops the default port
    host = url.raw_host.decode("ascii")
    return f"{url.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def stripped(error: Exception) -> Exception:
    """Take from an exception what it has seen: the frames below, which hold the secrets."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def connection_error(method: str, url: str, error: httpx.RequestError) -> APIConnectionError:
    """Make the typed error of a request that got no (whole) answer."""
    timed_out = isinstance(error, httpx.TimeoutException)
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    kind, what = (
        (APITimeoutError, "did not answer in time")
        if timed_out
        else (APIConnectionError, "could not be reached, or broke off")
    )
    failure = kind(f"{method} {url}: the engine {what} ({reason})")
    error.request = httpx.Request(method, url)  # the one it has may hold a plain credential
    failure.__cause__ = stripped(error)
    return failure


def proxy_for(url: httpx.URL) -> str | None:
    """Return the proxy that the environment names for a URL (HTTPS_PROXY, NO_PROXY, …)."""
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(url.netloc.decode("ascii")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
