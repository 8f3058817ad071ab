"""What development mode offers to a test suite: a clock that can be moved, more keys, and answers for DNS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from arcrun_server.errors import StartupError
from arcrun_server.outbound.guard import resolver_with
from arcrun_server.settings import settings_from

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = "X-Arcrun-API-Key"


def test_the_clock_is_ahead_by_what_the_file_says(
    serve: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "clock"
    server = serve("--dev", "--json", ARCRUN_SERVER_CLOCK_FILE=str(file))
    ready = server.ready()

    def pushed_at() -> int:
        url, headers = f"{ready['url']}/credentials", {KEY: ready["key"]}
        httpx.post(url, headers=headers, json={"name": "token", "value": "a value"})
        [credential] = httpx.get(url, headers=headers).json()["credentials"]
        httpx.delete(f"{url}/token", headers=headers)
        created: int = credential["created_at"]
        return created

    before = pushed_at()
    file.write_text("86400.5", "ascii")
    assert 86400 <= pushed_at() - before <= 86460


def test_each_of_several_keys_opens_an_account_of_its_own(serve: Callable[..., Any]) -> None:
    ready = serve("--dev", "--json", "--keys", "3").ready()
    first, second, third = ready["keys"]
    assert first == ready["key"]
    url = f"{ready['url']}/credentials"
    httpx.post(url, headers={KEY: second}, json={"name": "token", "value": "a value"})
    totals = [httpx.get(url, headers={KEY: key}).json()["total"] for key in (first, second, third)]
    assert totals == [0, 1, 0]


def test_further_keys_open_nothing_without_development_mode(
    serve: Callable[..., Any], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    server = serve("--dev", "--json", "--keys", "2", "--data", data)
    further = server.ready()["keys"][1]
    server.stop()
    url = serve("--json", "--data", data).ready()["url"]
    assert httpx.get(f"{url}/credentials", headers={KEY: further}).status_code == 401


def test_private_addresses_can_be_forbidden_in_development(serve: Callable[..., Any]) -> None:
    ready = serve("--dev", "--json", ARCRUN_SERVER_PRIVATE_ADDRESSES="no").ready()
    assert "private_addresses" not in httpx.get(f"{ready['url']}/health").json()["capabilities"]
    node = {"id": "get", "type": "Component", "componentId": "http_request"}
    graph = {"nodes": [{**node, "data": {"url": ready["url"]}}], "edges": []}
    response = httpx.post(
        f"{ready['url']}/execute", headers={KEY: ready["key"]}, json={"graph": graph}
    )
    assert "loopback or private address" in response.text


async def test_names_get_the_addresses_of_each_look_up_in_turn(tmp_path: Path) -> None:
    environment = {"ARCRUN_SERVER_RESOLVE": "a.test=1.1.1.1,::1/2.2.2.2 B.test=3.3.3.3"}
    settings = settings_from(environment, data_dir=tmp_path, dev=True)
    resolve = resolver_with(settings.testing.resolve)
    assert await resolve("A.test", 80) == ["1.1.1.1", "::1"]
    assert [await resolve("a.test", 80) for _ in range(2)] == [["2.2.2.2"], ["2.2.2.2"]]
    assert await resolve("b.test", 443) == ["3.3.3.3"]
    assert "127.0.0.1" in await resolve("127.0.0.1", 80)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ARCRUN_SERVER_RESOLVE", "a.test=b.test", "write HOST=ADDRESS,ADDRESS"),
        ("ARCRUN_SERVER_RESOLVE", "a.test", "write HOST=ADDRESS,ADDRESS"),
        ("ARCRUN_SERVER_PRIVATE_ADDRESSES", "maybe", "must be yes or no"),
    ],
)
def test_a_setting_of_a_wrong_form_is_named(
    tmp_path: Path, name: str, value: str, reason: str
) -> None:
    with pytest.raises(StartupError, match=reason) as caught:
        settings_from({name: value}, data_dir=tmp_path, dev=True)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["ARCRUN_SERVER_RESOLVE", "ARCRUN_SERVER_PRIVATE_ADDRESSES", "ARCRUN_SERVER_CLOCK_FILE"],
)
def test_they_are_refused_without_development_mode(tmp_path: Path, name: str) -> None:
    with pytest.raises(StartupError, match=f"{name} is for tests, and only taken with --dev"):
        settings_from({name: "no"}, data_dir=tmp_path)
