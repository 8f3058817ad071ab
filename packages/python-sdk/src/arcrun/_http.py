"""The HTTP client. No other module imports httpx."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import ssl
from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar

import httpx

from ._core.advice import advised
from ._core.deadlines import deadline_of, for_call
from ._core.decoding import ACCEPTED
from ._core.errors import (
    APIConnectionError,
    APITimeoutError,
    ArcrunError,
    ConfigurationError,
    InsecureTransportError,
)
from ._core.exceptions import scrubbed, stripped
from ._core.origins import is_loopback
from ._core.retry import check_timeout
from ._version import __version__

__all__ = [
    "HEADERS",
    "TIMEOUT",
    "USER_AGENT",
    "attempt",
    "check_next_hop",
    "check_url",
    "context_for",
    "httpx",
    "is_of_connection",
    "limits",
    "origin",
    "pool_for",
    "proxy_for",
    "ssl_context",
    "time_out_each_wait",
    "time_out_of",
    "typed_error",
    "unobserved",
    "until_the_head",
]

T = TypeVar("T")

USER_AGENT = f"arcrun-python/{__version__}"
HEADERS = {
    "User-Agent": USER_AGENT,
    "Accept": "application/json",
    "Accept-Encoding": ACCEPTED,
}
TIMEOUT = 60.0  # seconds, for each attempt of a call
CONNECT_TIMEOUT = 5.0  # seconds
MAX_CONNECTIONS = 100  # of a client, at the same time
_LIBRARIES = frozenset({"httpx", "httpcore", "h11", "h2", "anyio", "ssl", "zlib"})
_KEPT_OPEN = 20  # connections that wait for the next request


# The first that fits an exception, or what it was raised from.
_CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (httpx.PoolTimeout, "max_connections"),
    (httpx.ProxyError, "proxy"),
    (socket.gaierror, "dns"),
    (ConnectionRefusedError, "refused"),
    (ssl.SSLCertVerificationError, "certificate"),
    (ssl.SSLError, "tls"),
    (TimeoutError, "timeout"),
)


@functools.cache
def ssl_context() -> ssl.SSLContext:
    """Return the SSL context that all clients share: making one takes 20 ms.

    Raises:
        ConfigurationError: the certificates that a variable names can't be read.
    """
    try:
        return httpx.create_ssl_context()
    except (OSError, ValueError) as error:  # of which SSLError is one
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    variables = " and ".join(n for n in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(n))
    raise ConfigurationError(
        f"the certificates of authorities can't be read ({reason}): correct "
        f"{variables or 'the installation of certifi'}"
    )


def context_for(url: httpx.URL, proxy: str | None) -> ssl.SSLContext:
    """Return the SSL context for requests to a URL.

    Plain http that no proxy carries needs no certificates of authorities, so they are not read: that
    takes longer than a call. What would use TLS all the same trusts nobody.
    """
    if url.scheme == "http" and proxy is None:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl_context()


def limits(timeout: float | httpx.Timeout) -> httpx.Timeout:
    """Return the time-outs of a request.

    Args:
        timeout: seconds, of which 5 at most to connect; or httpx's own time-outs, as they are.

    Raises:
        InvalidArgumentError: it is neither.
    """
    return timeout if isinstance(timeout, httpx.Timeout) else _seconds(check_timeout(timeout))


def time_out_of(client: httpx.Client | httpx.AsyncClient) -> float | httpx.Timeout:
    """Return the time-outs that the user set for a client, or ours: httpx's default suits no workflow."""
    return TIMEOUT if client.timeout == httpx.Timeout(5.0) else client.timeout


class _Seconds(httpx.Timeout):
    """Time-outs that were made of one number: that of the whole."""


@functools.lru_cache(maxsize=8)
def _seconds(timeout: float) -> httpx.Timeout:
    return _Seconds(timeout, connect=min(timeout, CONNECT_TIMEOUT))


def attempt(timeout: httpx.Timeout) -> dict[str, Any]:
    """Return the extensions of the request of one attempt, which has an end, whatever it waits for."""
    total = timeout.read if isinstance(timeout, _Seconds) else None
    return {"timeout": for_call(timeout.as_dict(), total)}


def time_out_each_wait(options: Mapping[str, Any]) -> None:
    """Let the time-out of an attempt count for each part of the body again, from now on."""
    deadline = deadline_of(options["timeout"])
    if deadline is not None:
        deadline.lift()


@contextlib.contextmanager
def until_the_head(request: httpx.Request) -> Generator[None]:
    """Let a request's time-out for reading count for the whole head of the response.

    The body may take longer, as a stream of events does: there it counts for each part again.
    """
    bounded = for_call(request.extensions.get("timeout", {}), None)
    request.extensions = {**request.extensions, "timeout": bounded}
    yield
    time_out_each_wait(request.extensions)


def origin(url: httpx.URL) -> str:
    """Return the origin that httpx will connect to, in the form that `origins.origin_of` returns."""
    port = f":{url.port}" if url.port is not None else ""  # httpx drops the default port
    host = url.raw_host.decode("ascii")
    return f"{url.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def check_url(url: str) -> None:
    """Check that requests can be made for a base URL.

    Raises:
        ConfigurationError: they can't.
    """
    try:
        httpx.URL(url)
    except httpx.InvalidURL as error:
        reason = str(error)
    else:
        return
    raise ConfigurationError(f"the base URL {url!r} can't be used: {reason}")


def is_of_connection(error: BaseException) -> bool:
    """Tell whether an exception says that the connection failed: of httpx, its parts or the system.

    httpx translates those of its parts; a transport of the user's own may not.
    """
    library = type(error).__module__.partition(".")[0]
    return isinstance(error, OSError) or (isinstance(error, Exception) and library in _LIBRARIES)


def typed_error(
    method: str, url: str, error: BaseException, clean: Callable[[str], str]
) -> BaseException:
    """Return the SDK's error for what came of sending a request; without frames, which hold the key.

    What is neither the SDK's nor of the connection, such as a cancellation, is returned as it is.

    Args:
        method: the request's method.
        url: the request's URL.
        error: what was raised.
        clean: takes the secrets out of a text.
    """
    if isinstance(error, ArcrunError):
        return stripped(error)
    what = f"{method} {url} could not be sent ({type(error).__name__}: {clean(str(error))})"
    if isinstance(error, httpx.HTTPStatusError):
        advice = "leave statuses to the SDK: no event hook of http_client may raise for them"
    elif isinstance(error, httpx.CookieConflict):
        advice = "an http_client must not have two cookies of one name"
    elif isinstance(error, httpx.InvalidURL):
        advice = "is base_url right?"
    elif is_of_connection(error):
        return _connection_error(method, url, error, clean)
    elif isinstance(error, RuntimeError):
        advice = (
            "a client can't be used after it was closed, and an http_client only in the event loop that "
            "it was made for"
        )
    elif isinstance(error, (ValueError, OverflowError)):
        advice = "is base_url right?"
    else:
        return scrubbed(error, clean)
    return ConfigurationError(f"{what}: {advice}")


def _connection_error(
    method: str, url: str, error: BaseException, clean: Callable[[str], str]
) -> APIConnectionError:
    """Return the typed error for a request that got no response, or only a part of one."""
    kind: type[APIConnectionError] = APIConnectionError
    what = "the engine could not be reached, or closed the connection"
    if isinstance(error, httpx.PoolTimeout):
        kind = APITimeoutError
        what = (
            "no connection was free in time: all are in use by other calls; Arcrun(max_connections=…) "
            "sets how many there are"
        )
    elif isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        kind, what = APITimeoutError, "the engine did not respond in time"
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    failure = kind(f"{method} {url}: {what} ({clean(reason)})")
    cause_word = _cause_of(error)
    if cause_word in {"dns", "refused", "timeout"} and proxy_for(httpx.URL(url)):
        cause_word = "proxy"
    advised(failure, str(failure), cause_word)
    failure.__cause__ = cause = scrubbed(error, clean)
    if isinstance(cause, httpx.RequestError):
        cause.request = httpx.Request(method, url)  # httpx's own may hold a plain credential
    return failure


def _cause_of(error: BaseException) -> str:
    """Return why there is no connection, in a word; "" for what has none."""
    found: BaseException | None = error
    while found is not None:
        for kind, cause in _CAUSES:
            if isinstance(found, kind):
                return cause
        found = found.__cause__ or found.__context__
    return ""


def proxy_for(url: httpx.URL) -> str | None:
    """Return the proxy that the environment sets for a URL (HTTPS_PROXY, NO_PROXY, …).

    There is none for this machine, whatever NO_PROXY says: a secret that plain http is good enough
    for on the way to loopback would be read by the proxy.
    """
    from urllib.request import getproxies, proxy_bypass

    if is_loopback(origin(url)):
        return None
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(url.netloc.decode("ascii")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def pool_for(kind: Callable[..., T], url: httpx.URL, proxy: str | None, max_connections: int) -> T:
    """Return a new pool of connections.

    Args:
        kind: `httpx.HTTPTransport` or `httpx.AsyncHTTPTransport`.
        url: a URL of those that it is for: all of one scheme.
        proxy: the proxy, if requests go through one.
        max_connections: how many connections there may be.

    Raises:
        ConfigurationError: the proxy of the environment can't be used.
    """
    sizes = httpx.Limits(
        max_connections=max_connections,
        max_keepalive_connections=min(_KEPT_OPEN, max_connections),
    )
    context = context_for(url, proxy)
    try:
        return kind(verify=context, proxy=proxy, limits=sizes)
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        reason = str(error)
    names = [name for name in os.environ if name.lower().endswith("_proxy") and os.environ[name]]
    raise ConfigurationError(
        f"the proxy that the environment sets can't be used ({reason}): correct "
        f"{' or '.join(sorted(names)) or 'the proxy of the system'}, or list the host in NO_PROXY"
    )


def check_next_hop(client: Any, base_url: str) -> None:
    """Check that a client of the user's own sends plain http for this machine to this machine.

    Raises:
        InsecureTransportError: it goes to a proxy, which would read the API key.
    """
    url = httpx.URL(base_url)
    # The client's choice has no public name; another version of httpx may not have this one.
    choose = getattr(client, "_transport_for_url", None)
    pool = getattr(choose(url), "_pool", None) if choose and url.scheme == "http" else None
    if "Proxy" in type(pool).__name__:
        raise InsecureTransportError(
            f"http_client would send the API key to {origin(url)} over plain http through a proxy: make "
            "it with trust_env=False, or list the host in NO_PROXY"
        )


def unobserved(
    transport: object, send: Callable[[httpx.Request], T], name: str
) -> Callable[[httpx.Request], T]:
    """Return the method by which a transport sends, without what instrumentation wrapped around it.

    A request that holds secrets is not for spans: in a path or a query they would be recorded. Only
    methods of httpx are unwrapped: one that a class of the user's has is what the user wants.

    Args:
        transport: a transport, of httpx or another one.
        send: its method.
        name: the method's name; a wrapper may have another one.
    """
    owner = next((kind for kind in type(transport).__mro__ if name in vars(kind)), None)
    if owner is None or owner.__module__.partition(".")[0] != "httpx":
        return send
    own: Any = getattr(owner, name)
    while (inner := getattr(own, "__wrapped__", None)) is not None:
        own = inner
    return functools.partial(own, transport)
