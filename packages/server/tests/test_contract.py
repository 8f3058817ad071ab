"""The contract is what the server serves, and the server serves what is in the contract."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from starlette.routing import Route

from arcrun_server.app import create_app
from arcrun_server.routes.engine import CAPABILITIES

if TYPE_CHECKING:
    from conftest import Api

    from arcrun_server.settings import Settings
    from arcrun_server.store import Store

# Files of the page /docs, which is in the contract itself.
PAGE_FILES = {("GET", "/docs/{asset}")}
METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}


def contract() -> Any:
    text = (resources.files("arcrun_server") / "contract" / "arcrun.yaml").read_text("utf-8")
    return yaml.safe_load(text)


def test_routes_and_contract_are_the_same_set(store: Store, settings: Settings) -> None:
    routes = {
        (method, route.path_format)
        for route in create_app(settings, store).routes
        if isinstance(route, Route)
        for method in route.methods
    }
    operations = {
        (method.upper(), path)
        for path, item in contract()["paths"].items()
        for method in item
        if method in METHODS
    }
    assert routes - PAGE_FILES == operations


async def test_contract_is_served_with_this_engine_as_its_first_server(nobody: Api) -> None:
    served = (await nobody("GET", "/openapi.json")).json()
    assert served["servers"][0] == {"url": "http://localhost", "description": "This engine"}
    expected = contract()
    del served["servers"], expected["servers"]
    assert served == expected


async def test_html_page_loads_nothing_from_elsewhere(nobody: Api) -> None:
    page = await nobody("GET", "/docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "http" not in policy
    assert "http" not in page.text
    files = re.findall(r'(?:src|href)="(docs/[^"]+)"', page.text)
    assert len(files) == 4
    for file in files:
        response = await nobody("GET", f"/{file}")
        assert response.status_code == 200, file
        assert response.content


async def test_files_of_the_page_have_the_right_content_type(nobody: Api) -> None:
    kinds = {
        "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
        "swagger-ui.css": "text/css; charset=utf-8",
        "favicon.png": "image/png",
        "start.js": "text/javascript; charset=utf-8",
    }
    for name, kind in kinds.items():
        response = await nobody("GET", f"/docs/{name}")
        assert response.headers["Content-Type"] == kind
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    for name in ("../app.py", "..%2Fapp.py", "redoc.standalone.js"):
        assert (await nobody("GET", f"/docs/{name}")).status_code == 404


async def test_health_lists_the_capabilities(nobody: Api) -> None:
    health = (await nobody("GET", "/health")).json()
    assert health["ok"] is True
    assert health["capabilities"] == [
        *CAPABILITIES,
        "device_login",
        "private_addresses",
    ]  # the tests run it with --dev
    assert {"sealed_credentials", "sealed_read", "idempotency_key"} <= set(CAPABILITIES)
    root = (await nobody("GET", "/")).json()
    assert root == {
        "service": "arcrun-server",
        "version": health["bundle_version"],
        "status": "ok",
    }


@pytest.mark.parametrize("path", ["/", "/health"])
async def test_neither_a_missing_nor_a_wrong_key_matters(nobody: Api, path: str) -> None:
    response = await nobody("GET", path, headers={"X-Arcrun-API-Key": "nonsense"})
    assert response.status_code == 200
