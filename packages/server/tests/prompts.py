"""Prompt recipes that tests push, and what they do with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pushed_recipes import post

if TYPE_CHECKING:
    from conftest import Api

SEED_RECIPE = (Path(__file__).parent / "recipes" / "prompt" / "wiki_synthesis.yaml").read_text(
    "utf-8"
)


def greet(user: str = "Greet {{who}}.", **more: Any) -> dict[str, Any]:
    return {
        "name": "greet",
        "inputs": [{"var": "who", "from": "input.name"}],
        "prompt_assembly": {"user": user},
        **more,
    }


async def read(api: Api, path: str, status: int = 200) -> Any:
    response = await api("GET", path)
    assert response.status_code == status, response.text
    return response.json()


async def push(api: Api, recipe: Any, status: int = 201, **more: Any) -> Any:
    return await post(api, "/prompt-recipes", {"recipe": recipe, **more}, status)


async def template(api: Api, content: str, page_name: str = "templates", **more: Any) -> str:
    body = {"page_name": page_name, "content": content, "type": "template", **more}
    return str((await post(api, "/kbdb/blocks", body, 201))["block"]["id"])
