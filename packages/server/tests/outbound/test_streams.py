"""Responses that are read part by part."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from arcrun_server.outbound import streams
from arcrun_server.outbound.errors import Unreachable
from arcrun_server.outbound.guard import ForbiddenAddress

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback_site import Site

    from arcrun_server.outbound import Outbound
    from arcrun_server.outbound.streams import OpenResponse


async def opened(client: Outbound, url: str, silence: float = 5.0) -> OpenResponse:
    headers = [(b"host", b"test.example"), (b"content-length", b"2")]
    return await client.open("POST", url, headers, b"hi", silence=silence)


async def test_the_body_comes_as_it_was_sent(
    site: Site, make_client: Callable[..., Outbound]
) -> None:
    site.respond("/", "一二三", 201, {"X-A": "b"})
    response = await opened(make_client(), f"{site.url}/")
    assert response.status == 201
    assert (b"X-A", b"b") in response.headers
    assert b"".join([part async for part in response.parts()]).decode() == "一二三"
    await response.aclose()
    (received,) = site.received
    assert (received.body, received.headers["host"]) == (b"hi", "test.example")


async def test_a_redirect_is_not_followed(site: Site, make_client: Callable[..., Outbound]) -> None:
    site.respond("/", status=302, headers={"Location": f"{site.url}/other"})
    response = await opened(make_client(), f"{site.url}/")
    await response.aclose()
    assert (response.status, len(site.received)) == (302, 1)


async def test_a_body_without_end_is_cut(
    site: Site, make_client: Callable[..., Outbound], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MAX_STREAM_BYTES", 10)
    site.respond("/", "x" * 11)
    response = await opened(make_client(), f"{site.url}/")
    with pytest.raises(Unreachable, match="answers with more than 10 bytes"):
        async for _ in response.parts():
            pass
    await response.aclose()


async def test_whoever_waits_has_a_turn_once_a_response_is_closed(
    site: Site, make_client: Callable[..., Outbound]
) -> None:
    site.respond("/", "a")
    client = make_client(calls_per_key=1)
    first = await opened(client, f"{site.url}/")
    waiting = asyncio.create_task(opened(client, f"{site.url}/"))
    await asyncio.wait({waiting}, timeout=0.2)
    assert not waiting.done()
    await first.aclose()
    await (await waiting).aclose()
    assert len(site.received) == 2


async def test_a_turn_is_given_back_after_a_failure(
    site: Site, make_client: Callable[..., Outbound]
) -> None:
    client = make_client(calls_per_key=1)
    for _ in range(2):
        with pytest.raises(Unreachable, match="did not respond in time"):
            await opened(client, f"{site.url}/silent?key=1", silence=0.1)
    site.respond("/", "a")
    await (await opened(client, f"{site.url}/")).aclose()
    assert site.received[-1].path == "/"


async def test_what_a_workflow_must_not_reach_a_library_must_not_either(
    site: Site, make_client: Callable[..., Outbound]
) -> None:
    for url in (f"{site.url}/", "http://169.254.169.254/", "file:///etc/passwd"):
        with pytest.raises(ForbiddenAddress):
            await opened(make_client(development=False), url)
    assert site.received == []
