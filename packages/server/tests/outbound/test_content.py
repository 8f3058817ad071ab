"""What becomes of a response's body: JSON by its type only, text, bytes, and compressed ones within the limit."""

from __future__ import annotations

import base64
import gzip
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.outbound import Response, Unreachable

if TYPE_CHECKING:
    from loopback_site import Site

PICTURE = b"\x89PNG\r\n\x1a\n\x00\xff"


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("application/json", "1.10", 1.1),
        ("application/json", "\ufeff{}", {}),
        ("application/vnd.api+json", "[true]", [True]),
        ("application/json", "no json", "no json"),
        ("application/json", "[1e400]", "[1e400]"),
        ("application/json", "[-1E999]", "[-1E999]"),
        ("application/json", "[1e308]", [1e308]),
        ("application/json", r'["\ud800"]', r'["\ud800"]'),
        ("application/json", r'["\uD83D\uDE00"]', ["\U0001f600"]),
        ("text/plain", "1.10", "1.10"),
        ("text/plain", "true", "true"),
        ("text/html", "{}", "{}"),
        ("", "7", "7"),
    ],
)
def test_only_what_says_that_it_is_json_is_read_as_json(
    kind: str, text: str, expected: Any
) -> None:
    assert Response(200, text, kind).content() == {"body": expected}


async def test_text_stays_text_over_the_wire(make_client: Any, site: Site) -> None:
    site.respond("/x", "1.10", headers={"Content-Type": "text/plain; charset=utf-8"})
    assert (await make_client().send("GET", f"{site.url}/x")).content() == {"body": "1.10"}


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", ""])
async def test_what_is_no_text_comes_back_in_base64(
    make_client: Any, site: Site, kind: str
) -> None:
    site.respond("/x", PICTURE, headers={"Content-Type": kind})
    response = await make_client().send("GET", f"{site.url}/x")
    content = response.content()
    assert base64.b64decode(content["body"]) == PICTURE
    assert (content["encoding"], content["content_type"]) == ("base64", kind)


async def test_bytes_of_a_text_type_are_text(make_client: Any, site: Site) -> None:
    for kind, body in [
        ("text/plain; charset=big5", "中".encode("big5")),
        ("application/octet-stream", "中".encode()),
    ]:
        site.respond("/x", body, headers={"Content-Type": kind})
        assert (await make_client().send("GET", f"{site.url}/x")).content() == {"body": "中"}


async def test_an_error_that_is_no_text_is_named_by_its_status(
    make_client: Any, site: Site
) -> None:
    site.respond("/x", PICTURE, status=502, headers={"Content-Type": "image/png"})
    response = await make_client().send("GET", f"{site.url}/x")
    assert response.failure()["error"] == "HTTP 502"


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_compressed_body_is_unpacked(
    make_client: Any, site: Site, coding: str, pack: Any
) -> None:
    site.respond("/x", pack('{"名": 1}'.encode()), headers={"Content-Encoding": coding})
    assert (await make_client().send("GET", f"{site.url}/x")).content() == {"body": {"名": 1}}


async def test_a_compressed_body_counts_as_large_as_it_becomes(
    make_client: Any, site: Site
) -> None:
    client = make_client(max_bytes=1000)
    site.respond("/x", gzip.compress(b" " * 999 + b"7"), headers={"Content-Encoding": "gzip"})
    assert (await client.send("GET", f"{site.url}/x")).content() == {"body": 7}
    for size in (1001, 50_000_000):
        site.respond("/y", gzip.compress(b" " * size), headers={"Content-Encoding": "gzip"})
        with pytest.raises(Unreachable, match="larger than 1,000 bytes"):
            await client.send("GET", f"{site.url}/y")


@pytest.mark.parametrize(
    ("coding", "body", "says"),
    [
        ("br", b"x", "compressed with br"),
        ("gzip", gzip.compress(b"x" * 100, mtime=0)[:-4], "cut off"),
        ("gzip", b"{}", "but it is not"),
        ("gzip", gzip.compress(b"hel", mtime=0) + gzip.compress(b"lo", mtime=0), "several parts"),
    ],
    ids=["unknown", "cut off", "plain", "two parts"],
)
async def test_a_body_that_cannot_be_unpacked_is_refused(
    make_client: Any, site: Site, coding: str, body: bytes, says: str
) -> None:
    site.respond("/x", body, headers={"Content-Encoding": coding})
    with pytest.raises(Unreachable, match=says):
        await make_client().send("GET", f"{site.url}/x")
