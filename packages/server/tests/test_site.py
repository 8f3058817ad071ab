"""`serve --site`: pages for people beside the API for programs, with the headers that their host would send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from arcrun_server.app import create_app
from arcrun_server.errors import StartupError
from arcrun_server.settings import Settings
from arcrun_server.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FILES = {
    "index.html": "home",
    "dashboard.html": "dashboard",
    "components.html": "components",
    "docs/cli.html": "cli",
    "404.html": "no such page",
    "components.txt": "data of a page",
    "openapi.json": "not the contract",
    "_next/static/a.js": "script()",
    "_headers": "/*\n  X-Frame-Options: DENY\n  X-Both: a\n/_next/static/*\n  Cache-Control: immutable\n"
    "/dashboard\n  ! X-Both\n  Cache-Control: no-store\n",
}


@pytest.fixture
def export(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path / "out"


@pytest.fixture
def client(export: Path, tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(data_dir=tmp_path / "data", site=export))) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "home"),
        ("/dashboard", "dashboard"),
        ("/components", "components"),
        ("/docs/cli", "cli"),
    ],
)
def test_a_browser_that_opens_an_address_gets_the_page(
    client: TestClient, path: str, text: str
) -> None:
    response = client.get(path, headers=PERSON)
    assert (response.status_code, response.text) == (200, text)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "Accept" in response.headers["vary"]
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
def test_a_program_gets_the_api_at_the_same_address(client: TestClient, accept: str) -> None:
    headers = {"Accept": accept}
    assert client.get("/", headers=headers).json()["service"] == "arcrun-server"
    assert client.get("/components", headers=headers).json()["count"] == 21
    assert client.get("/dashboard", headers=headers).json()["code"] == "not_found"


def test_no_file_takes_the_place_of_what_programs_read(client: TestClient) -> None:
    assert client.get("/openapi.json", headers=PERSON).json()["openapi"] == "3.1.0"
    assert client.get("/health", headers=PERSON).json()["ok"] is True


def test_files_have_their_types_and_the_headers_of_their_rules(client: TestClient) -> None:
    script = client.get("/_next/static/a.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["cache-control"] == "immutable"
    assert script.headers["x-frame-options"] == "DENY"
    assert client.get("/components.txt").text == "data of a page"
    dashboard = client.get("/dashboard", headers=PERSON)
    assert dashboard.headers["cache-control"] == "no-store"
    assert "x-both" not in dashboard.headers


def test_a_file_that_the_client_has_is_not_sent_again(client: TestClient) -> None:
    etag = client.get("/_next/static/a.js").headers["etag"]
    assert client.get("/_next/static/a.js", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize(
    "path", ["/nothing", "/_headers", "/404.html", "/../data/server.key", "/%2e%2e/data/server.key"]
)
def test_where_there_is_no_page_the_site_says_so(client: TestClient, path: str) -> None:
    response = client.get(path, headers=PERSON)
    assert (response.status_code, response.text) == (404, "no such page")


def test_a_slash_at_the_end_leads_to_the_page_and_to_no_other_site(client: TestClient) -> None:
    response = client.get("/dashboard/", headers=PERSON, follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (308, "/dashboard")
    assert (
        client.get(
            "http://testserver//evil.example/", headers=PERSON, follow_redirects=False
        ).status_code
        == 404
    )


def test_only_get_and_head_are_for_pages(client: TestClient) -> None:
    assert client.head("/dashboard", headers=PERSON).status_code == 200
    assert client.post("/dashboard", headers=PERSON).json()["code"] == "not_found"


def test_a_folder_without_pages_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="nox -s website"):
        Site(tmp_path)
