import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from scripts.release.publish import names
from scripts.release.publish.http import NotAsked
from scripts.release.publish.loopback import Loopback, serve
from scripts.release.publish.names import Holder, NameTaken, check_names

OURS = ("https://arcrun.dev",)
MANIFESTS = {
    "arcrun": "packages/python-sdk/pyproject.toml",
    "@arcrun/sdk": "packages/js-sdk/package.json",
}
ANOTHER = {
    "info": {
        "name": "arcrun",
        "version": "4.5.6",
        "home_page": None,
        "project_urls": {
            "Homepage": "https://example.com/",
            "Repository": "https://github.com/somebody/Else.git",
        },
    }
}


@pytest.fixture
def registries(tmp_path: Path) -> Iterator[Loopback]:
    with serve(tmp_path) as loopback:
        yield loopback


def ask(registries: Loopback, **other: Any) -> dict[str, str]:
    urls = {"pypi_url": registries.of("pypi"), "npm_url": registries.of("npm")}
    return check_names(["arcrun"], "@arcrun/sdk", OURS, manifests=MANIFESTS, **{**urls, **other})


def test_names_that_nobody_has_are_free(registries: Loopback) -> None:
    assert ask(registries) == {"arcrun": "free", "@arcrun/sdk": "free"}


def test_a_name_under_which_our_url_stands_is_ours(registries: Loopback) -> None:
    ours = {"info": {"version": "0.1.0", "project_urls": {"Homepage": "https://www.arcrun.dev/"}}}
    registries.storage.of("pypi").keep("others", {"arcrun": ours})
    assert ask(registries)["arcrun"] == "ours"


def test_a_name_of_another_project_is_refused_with_whose_it_is_and_what_to_do(
    registries: Loopback,
) -> None:
    registries.storage.of("pypi").keep("others", {"arcrun": ANOTHER})
    with pytest.raises(NameTaken) as refused:
        ask(registries)
    first, remedy = str(refused.value).splitlines()
    assert first == "PyPI's arcrun (4.5.6, github.com/somebody/Else) belongs to another project"
    assert "`name` in packages/python-sdk/pyproject.toml" in remedy
    assert "python -m scripts.release.distribution_name" in remedy
    assert "transfer" in remedy


def test_a_package_on_npm_of_another_project_is_refused(registries: Loopback) -> None:
    other = {"dist-tags": {"latest": "2.0.0"}, "repository": {"url": "git+https://x.example/y.git"}}
    registries.storage.of("npm").keep("others", {"@arcrun/sdk": other})
    with pytest.raises(NameTaken, match=r"npm's @arcrun/sdk \(2\.0\.0, x\.example/y\) belongs"):
        ask(registries)


@pytest.mark.parametrize(
    "url",
    [
        "https://arcrun.dev.example",
        "https://example.com/arcrun.dev",
        "https://arcrun.dev/other",
        "",
    ],
)
def test_a_url_that_only_resembles_ours_is_of_another_project(url: str) -> None:
    assert not names.is_ours(Holder("arcrun", "1", (url,)), OURS)


def test_a_project_without_any_url_is_of_another_project() -> None:
    holder = names.pypi_holder("arcrun", {"info": {"version": "1", "project_urls": None}})
    assert not names.is_ours(holder, OURS)
    assert (
        names.taken("PyPI", holder)
        == "PyPI's arcrun (1, it names no URL) belongs to another project"
    )


def test_where_a_registry_is_not_reached_nothing_is_published(registries: Loopback) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(
        NotAsked, match=r"could not be asked who owns arcrun, so nothing is published"
    ):
        ask(registries, pypi_url=f"http://127.0.0.1:{port}")


def test_a_registry_that_never_answers_does_not_hold_the_step(registries: Loopback) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        with pytest.raises(NotAsked, match=r"gave no answer in 0\.3 s|could not be asked"):
            ask(registries, npm_url=f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.3)
        assert time.monotonic() - begun < 5


def test_a_name_that_is_taken_is_said_although_the_other_registry_is_down(
    registries: Loopback,
) -> None:
    registries.storage.of("pypi").keep("others", {"arcrun": ANOTHER})
    registries.down = {"npm"}
    with pytest.raises(NameTaken, match="belongs to another project"):
        ask(registries)


@pytest.mark.parametrize(
    "answer", [(200, b"<html>log in</html>"), (403, b"{}"), (200, b"[]"), (302, b"")]
)
def test_an_answer_that_is_not_the_registrys_proves_nothing(
    registries: Loopback, answer: tuple[int, bytes]
) -> None:
    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer[0])
            self.send_header("Location", f"{registries.of('pypi')}/pypi/arcrun/json")
            self.end_headers()
            self.wfile.write(answer[1])

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Proxy) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            with pytest.raises(NotAsked):
                ask(registries, pypi_url=f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()


def test_what_registries_say_of_a_package_is_read_from_their_json() -> None:
    document = json.loads('{"dist-tags": {"latest": "1.0.0"}, "homepage": "https://arcrun.dev"}')
    assert names.npm_holder("@arcrun/sdk", document) == Holder(
        "@arcrun/sdk", "1.0.0", ("https://arcrun.dev",)
    )
