"""The examples in docstrings and on the page about prompt recipes are correct."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import yaml
from prompts import push, read, template
from pushed_recipes import post

import arcrun_server
from arcrun_server.accounts.keys import new_key
from arcrun_server.app import create_app
from arcrun_server.engine import compile_flow
from arcrun_server.settings import Settings
from arcrun_server.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conftest import Api

MODULES = [
    module.name
    for module in pkgutil.walk_packages(arcrun_server.__path__, "arcrun_server.")
    if not module.name.endswith("__main__")
]
PAGE = Path(__file__).parents[3] / "docs" / "prompt-recipes.md"
YAML_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
RECIPE, NODE, SCRIPT = YAML_BLOCK.findall(PAGE.read_text("utf-8"))


@pytest.fixture
async def scripted(tmp_path: Path, nobody: Api) -> AsyncIterator[Api]:
    """An engine whose model answers from the page's script, called as one account."""
    script = tmp_path / "replies.yaml"
    script.write_text(SCRIPT, "utf-8")
    store = Store(tmp_path / "scripted")
    app = create_app(Settings(data_dir=tmp_path / "scripted", dev=True, llm_script=script), store)
    key = new_key()
    store.accounts.create(key)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://localhost"
        ) as client,
    ):
        yield replace(nobody, app=app, client=client, store=store, key=key)
    store.close()


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


async def test_the_page_s_script_answers_the_page_s_recipe(scripted: Api) -> None:
    await template(scripted, "Be brief.", "digest-style")
    await push(scripted, RECIPE)
    tested = await post(scripted, "/prompt-recipes/daily_digest/test", {}, 200)
    assert (tested["passed"], len(tested["tests"])) == (True, 1)
    labelled = await scripted(
        "PUT", "/prompt-recipes/daily_digest/labels/production", json={"version": 1}
    )
    assert labelled.status_code == 200
    config = yaml.safe_load(NODE)["config"]
    articles = [{"title": "甲"}, {"title": "乙"}]
    config["fetch"] = {"component": "set", "values": {"items": articles}}
    graph = compile_flow(["input >> 完成後 >> fetch", "fetch >> 完成後 >> synthesize"], config)
    body = {"graph": graph, "context": {"reader": "小明"}}
    run = await post(scripted, "/execute", body, 200)
    assert (run["data"]["title"], run["data"]["text"]) == ("今日", "…")
    got = await read(scripted, "/prompt-recipes/daily_digest")
    assert run["data"]["llm"]["version"] == got["recipe"]["version"]
