"""The guard of all outgoing requests: which addresses a workflow may reach.

A name is resolved once, every address is checked, and the connection goes to a checked address:
no second look-up can bring another one (DNS rebinding). TLS and Host still use the name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast
from urllib.parse import SplitResult, urlsplit

import httpcore

from arcrun_server.engine import ComponentError
from arcrun_server.engine.cancellation import within

Address: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"
Resolver: TypeAlias = Callable[[str, int], Awaitable[list[str]]]

Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, texts))


_METADATA = _networks(
    "169.254.169.254",  # most clouds
    "100.100.100.200",  # Alibaba Cloud
    "168.63.129.16",  # Azure's host, under a public address
    "192.0.0.192",  # Oracle Cloud
    "fd00:42::42",  # Scaleway
    "fd00:ec2::/32",  # AWS: instances, containers, time
    "fd20:ce::254",  # Google Cloud
)
# What development mode may reach.
_PRIVATE = _networks(
    *("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"),
    "198.18.0.0/15",  # for benchmarks; local proxies give names addresses from it
)
# The rest of IANA's registries of special-purpose addresses, and what earlier RFCs set aside. The tables of Python's
# `ipaddress` are not used: they differ from version to version.
_RESERVED = _networks(
    *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24"),
    *("192.52.193.0/24", "192.88.99.0/24", "192.175.48.0/24", "198.51.100.0/24", "203.0.113.0/24"),
    *("240.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
)
# All that is assigned to machines; what is outside is special, or not assigned yet.
_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
# Networks whose addresses carry an IPv4 address inside, and how far from the right it stands.
_CARRIERS = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),  # IPv4-translated
    (ipaddress.IPv6Network("::/96"), 0),  # IPv4-compatible
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4
)
# Of these, the ones that are another way to write the IPv4 address: they are as good as it.
_SYNONYMS = _networks("::ffff:0:0/96", "64:ff9b::/96")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


class ForbiddenAddress(ComponentError):
    """An address that a workflow must not reach. The message says which, and why."""


def check_url(url: str) -> SplitResult:
    """Check an address before anything is sent.

    Args:
        url: What the workflow wants to reach.

    Raises:
        ForbiddenAddress: It is not a plain http or https URL, or its host is a disguised number.

    Example:
        >>> check_url("http://2130706433/")
        Traceback (most recent call last):
        arcrun_server.outbound.guard.ForbiddenAddress: the host '2130706433' is a number in disguise; \
write the address in its usual form
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as problem:
        raise ForbiddenAddress(f"the URL is not valid: {problem}") from None
    if re.search(r"[\x00-\x20\x7f\\]", url):
        raise ForbiddenAddress(
            "the URL holds white space, a control character or a backslash; percent-encode it"
        )
    if parts.scheme not in {"http", "https"} or not host:
        raise ForbiddenAddress("the URL must begin with http:// or https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenAddress("the URL holds a user name or password; put it into a header")
    if _is_disguised(host):
        message = f"the host '{host}' is a number in disguise; write the address in its usual form"
        raise ForbiddenAddress(message)
    return parts


def check_address(text: str, host: str, *, development: bool) -> Address:
    """Check one address that a host name stands for.

    Args:
        text: The address.
        host: The name, for the error.
        development: Whether loopback and private addresses may be reached.

    Raises:
        ForbiddenAddress: It must not be reached; link-local and metadata addresses never may.

    Example:
        >>> check_address("8.8.8.8", "dns.google", development=False)
        IPv4Address('8.8.8.8')
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    for each in (address, *_carried(address)):
        reason = _reason_against(each, development=development)
        if reason:
            shown = "" if text == host else f" ({text})"
            raise ForbiddenAddress(f"'{host}'{shown} can't be reached from a workflow: {reason}")
    return address


async def system_resolver(host: str, port: int) -> list[str]:
    """Resolve a name as the system does."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolver_with(answers: Mapping[str, Sequence[Sequence[str]]]) -> Resolver:
    """Return a resolver that answers for some names itself.

    Args:
        answers: For each name the addresses of each look-up in turn; the last ones stay.
    """
    if not answers:
        return system_resolver
    waiting = {host: list(lookups) for host, lookups in answers.items()}

    async def resolve(host: str, port: int) -> list[str]:
        lookups = waiting.get(host.lower())
        if lookups is None:
            return await system_resolver(host, port)
        return list(lookups.pop(0) if len(lookups) > 1 else lookups[0])

    return resolve


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to checked addresses only.

    Args:
        development: Whether loopback and private addresses may be reached.
        resolver: Turns a host name into addresses.
    """

    def __init__(self, *, development: bool, resolver: Resolver = system_resolver) -> None:
        self._development = development
        self._resolver = resolver
        # httpcore has a placeholder of this name where anyio is not installed; httpx installs it.
        self._backend = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, check and connect."""
        addresses = await self._addresses(host, port, timeout)
        problem: Exception | None = None
        for address in addresses:
            try:
                return await self._backend.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise problem or httpcore.ConnectError(f"'{host}' has no address")

    async def _addresses(self, host: str, port: int, timeout: float | None) -> list[Address]:
        try:
            found = await within(timeout, self._resolver(host, port))
        except asyncio.TimeoutError:
            raise httpcore.ConnectTimeout(f"'{host}' was not resolved in time") from None
        except (OSError, UnicodeError):
            raise httpcore.ConnectError(f"there is no host '{host}'") from None
        # One forbidden address among several is enough: a harmless name has none.
        return [check_address(text, host, development=self._development) for text in found]


def _is_disguised(host: str) -> bool:
    labels = host.rstrip(".").split(".")
    if not _NUMBER.fullmatch(labels[-1]):
        return False
    try:
        return str(ipaddress.IPv4Address(host)) != host
    except ValueError:
        return True


def _carried(address: Address) -> list[Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return []
    return [
        ipaddress.IPv4Address(int(address) >> shift & 0xFFFF_FFFF)
        for network, shift in _CARRIERS
        if address in network and int(address) > 1
    ]


def _reason_against(address: Address, *, development: bool) -> str | None:
    if _is_in(address, _METADATA):
        return "it is a cloud's metadata service"
    if address.is_link_local:
        return "it is a link-local address"
    if address.is_multicast or address.is_unspecified:
        return "it is not the address of a single machine"
    if _is_in(address, _PRIVATE):
        text = "it is a loopback or private address (allowed in development mode only)"
        return None if development else text
    if _is_in(address, _RESERVED) or not _is_assigned(address):
        return "it is a reserved address"
    return None


def _is_assigned(address: Address) -> bool:
    """Tell whether an address is from a range that is given to machines, or stands for an IPv4 address."""
    if isinstance(address, ipaddress.IPv4Address):
        return True
    return address in _GLOBAL_IPV6 or _is_in(address, _SYNONYMS)


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
