from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcrun_server.outbound import Unreachable
from arcrun_server.outbound.guard import ForbiddenAddress, check_address, check_url

if TYPE_CHECKING:
    from loopback_site import Site

ALWAYS_FORBIDDEN = [
    "169.254.169.254",
    "169.254.1.1",
    "100.100.100.200",
    "192.0.0.192",
    "fe80::1",
    "fe80::1%eth0",
    "168.63.129.16",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fd00:42::42",
    "::ffff:168.63.129.16",
    "64:ff9b::a83f:8110",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "::ffff:0.0.0.0",
]
PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "::1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "198.18.0.1",
    "fd12:3456::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
]
# From IANA's registries of special-purpose addresses, the first and the last of each range.
RESERVED = [
    *("0.0.0.1", "0.255.255.255", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.0.255"),
    *("192.0.2.1", "192.0.2.255", "192.31.196.1", "192.52.193.1", "192.88.99.0", "192.88.99.255"),
    *("192.175.48.1", "198.51.100.1", "203.0.113.1", "240.0.0.1", "255.255.255.255"),
    *("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "64:ff9b:1::808:808", "100::1"),
    *("100:0:0:1::1", "2001::1", "2001:2::1", "2001:20::1", "2001:1ff:ffff::1", "2001:db8::1"),
    *("2002::1", "2002:808:808::1", "2620:4f:8000::1", "3fff::1", "3fff:fff:ffff::1", "5f00::1"),
    *("5fff::1", "fec0::1", "feff::1", "::8.8.8.8", "::ffff:0:8.8.8.8", "4000::1", "1000::1"),
]
PUBLIC = [
    *("8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "192.88.98.255", "192.88.100.0"),
    *("198.17.255.255", "198.20.0.0", "223.255.255.255", "172.32.0.1", "168.63.129.15"),
    *("2606:4700:4700::1111", "2001:200::1", "2400:cb00::1", "3ffe:ffff::1", "2a00:1450::1"),
    *("::ffff:8.8.8.8", "64:ff9b::808:808"),
]


@pytest.mark.parametrize("address", ALWAYS_FORBIDDEN)
@pytest.mark.parametrize("development", [True, False])
def test_link_local_metadata_and_the_like_are_never_reached(
    address: str, development: bool
) -> None:
    with pytest.raises(ForbiddenAddress, match="can't be reached from a workflow"):
        check_address(address, "host", development=development)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_reached_in_production(address: str) -> None:
    with pytest.raises(ForbiddenAddress, match="development mode only"):
        check_address(address, "host", development=False)


@pytest.mark.parametrize("address", RESERVED)
@pytest.mark.parametrize("development", [True, False])
def test_reserved_addresses_are_never_reached(address: str, development: bool) -> None:
    with pytest.raises(ForbiddenAddress, match="it is a reserved address"):
        check_address(address, "host", development=development)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_reached_in_development(address: str) -> None:
    assert str(check_address(address, "host", development=True)) == str(
        ipaddress.ip_address(address)
    )


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("development", [True, False])
def test_public_addresses_are_reached(address: str, development: bool) -> None:
    assert check_address(address, "host", development=development)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_disguise_of_ipv6_is_judged_as_itself(address: Any) -> None:
    def verdict(text: str) -> bool:
        try:
            check_address(text, "host", development=False)
        except ForbiddenAddress:
            return False
        return True

    number = int(address)
    if not verdict(str(address)):
        assert not verdict(f"::ffff:{address}")
        assert not verdict(str(ipaddress.IPv6Address((0x64FF9B << 96) | number)))
        assert not verdict(str(ipaddress.IPv6Address((0x2002 << 112) | (number << 80) | 1)))
        assert not verdict(str(ipaddress.IPv6Address(number)))


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.01/",
        "http://1.2.3.4.5/",
        "http://2852039166./",
        "http://a.0x10/",
    ],
)
def test_a_number_in_disguise_is_no_host(url: str) -> None:
    with pytest.raises(ForbiddenAddress, match="number in disguise"):
        check_url(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/", "http://"),
        ("file:///etc/passwd", "http://"),
        ("example.com", "http://"),
        ("http://", "http://"),
        ("", "http://"),
        ("http://user:pass@example.com/", "user name or password"),
        ("http://user@example.com/", "user name or password"),
        ("http://exa mple.com/", "white space"),
        ("http://example.com\\@evil.com/", "backslash"),
        ("http://example.com/\r\nHost: x", "control"),
        ("http://[::1/", "not valid"),
        ("http://a:99999/", "not valid"),
    ],
)
def test_an_address_that_is_no_plain_url_is_refused(url: str, reason: str) -> None:
    with pytest.raises(ForbiddenAddress, match=reason):
        check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://例子.台灣:8443/路?q=1#x",
        "http://127.0.0.1/",
        "http://[::1]:80/",
        "http://a.b1/",
    ],
)
def test_plain_urls_are_accepted(url: str) -> None:
    assert check_url(url).hostname


@given(st.text())
def test_any_text_is_a_url_or_refused(text: str) -> None:
    try:
        scheme = check_url(text).scheme
    except ForbiddenAddress:
        return
    assert scheme in {"http", "https"}


async def test_a_site_on_loopback_is_not_reached_in_production(
    make_client: Any, site: Site
) -> None:
    site.respond("/", "secret")
    with pytest.raises(ForbiddenAddress, match=r"'127\.0\.0\.1' can't be reached"):
        await make_client(development=False).send("GET", site.url)
    assert site.connections == 0


async def test_a_name_that_stands_for_a_forbidden_address_is_not_reached(
    make_client: Any, site: Site
) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    with pytest.raises(ForbiddenAddress, match=r"'example\.com' \(127\.0\.0\.1\) can't be reached"):
        await make_client(development=False, resolver=resolver).send(
            "GET", f"http://example.com:{site.port}/"
        )
    assert site.connections == 0


async def test_one_forbidden_address_among_several_is_enough(make_client: Any) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return ["8.8.8.8", "10.0.0.1"]

    with pytest.raises(ForbiddenAddress, match=r"10\.0\.0\.1"):
        await make_client(development=False, resolver=resolver).send("GET", "http://example.com/")


async def test_the_connection_goes_to_the_address_that_was_checked(
    make_client: Any, site: Site
) -> None:
    site.respond("/x", "好")
    looked_up: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"] if len(looked_up) == 1 else ["169.254.169.254"]

    response = await make_client(resolver=rebinding).send(
        "GET", f"http://name.example:{site.port}/x"
    )
    assert response.text == "好"
    assert looked_up == ["name.example"]
    assert site.received[0].headers["host"] == f"name.example:{site.port}"


async def test_a_name_that_changes_its_address_later_is_checked_again(
    make_client: Any, site: Site
) -> None:
    site.respond("/x", "好", headers={"Connection": "close"})
    responses = iter([["127.0.0.1"], ["169.254.169.254"]])

    async def rebinding(host: str, port: int) -> list[str]:
        return next(responses)

    outbound = make_client(resolver=rebinding)
    assert (await outbound.send("GET", f"http://name.example:{site.port}/x")).ok
    with pytest.raises(ForbiddenAddress, match="metadata"):
        await outbound.send("GET", f"http://name.example:{site.port}/x")
    assert len(site.received) == 1


async def test_a_redirect_to_a_forbidden_address_is_not_followed(
    make_client: Any, site: Site
) -> None:
    for path, target in [
        ("/a", "http://169.254.169.254/latest/meta-data/"),
        ("/b", "http://[fd00:ec2::254]/"),
        ("/c", "http://2852039166/"),
        ("/d", "file:///etc/passwd"),
        ("/e", "http://example.com:99999/"),
    ]:
        site.respond(path, status=302, headers={"Location": target})
        with pytest.raises(ForbiddenAddress):
            await make_client().send("GET", site.url + path)


async def test_the_second_of_two_good_addresses_is_tried(make_client: Any, site: Site) -> None:
    site.respond("/", "好")

    async def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    response = await make_client(resolver=resolver).send("GET", f"http://two.example:{site.port}/")
    assert response.text == "好"


async def test_a_name_that_stands_for_nothing_is_unreachable(make_client: Any) -> None:
    async def nothing(host: str, port: int) -> list[str]:
        return []

    async def unknown(host: str, port: int) -> list[str]:
        raise OSError

    for resolver in (nothing, unknown):
        with pytest.raises(Unreachable, match=r"no\.example"):
            await make_client(resolver=resolver).send("GET", "http://no.example/")


async def test_resolving_has_a_time_out(make_client: Any) -> None:
    async def slow(host: str, port: int) -> list[str]:
        import asyncio

        await asyncio.Event().wait()
        return []

    with pytest.raises(Unreachable, match="in time"):
        await make_client(resolver=slow, connect_timeout=0.01).send("GET", "http://slow.example/")
