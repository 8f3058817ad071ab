"""Write what the site shows of the engine: `packages/website/src/generated/catalog.json`.

The catalog is asked of the engine in this repository, so that what is built in has the shape of what the site's pages
ask for later.
"""

from __future__ import annotations

import json
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from scripts import ROOT
from scripts.engine import engine_with_accounts
from scripts.website.highlight import highlighted
from scripts.website.languages import both, both_names

SHIPPED = ROOT / "packages/server/src/arcrun_server/catalog"
_SECONDS = 30


def catalog() -> dict[str, Any]:
    """Return components, services and recipes, as a new engine has them."""
    with tempfile.TemporaryDirectory(prefix="arcrun-website-") as folder:
        data, log = Path(folder, "data"), Path(folder, "engine.log")
        with engine_with_accounts(Path(sys.executable), data, log) as engine:
            key = engine.keys[0]
            components = _get(engine.url, "/components?limit=200", key)["components"]
            services = _get(engine.url, "/auth-recipes?limit=200", key)["recipes"]
            api = _get(engine.url, "/recipes?limit=200", key)["recipes"]
            url = engine.url
    return {
        "components": [_component(entry) for entry in components],
        "services": [_service(entry, url) for entry in services],
        "api_recipes": [_api_recipe(entry, url) for entry in api],
        "prompt_recipes": prompt_recipes(SHIPPED / "prompt-recipes"),
    }


def prompt_recipes(folder: Path) -> list[dict[str, Any]]:
    """Return the prompt recipes of a folder, each with its source."""
    recipes = []
    for path in sorted(folder.glob("*.yaml")):
        source = path.read_text("utf-8")
        document = yaml.safe_load(source)
        recipes.append(
            {
                "name": document["id"].partition(":")[2],
                "description": document["description"],
                "document": json.loads(json.dumps(document, default=str)),
                "source": {"text": source, "html": highlighted(source, "yaml")},
            }
        )
    return recipes


def _get(url: str, path: str, key: str) -> dict[str, Any]:
    request = urllib.request.Request(f"{url}{path}", headers={"X-Arcrun-API-Key": key})  # noqa: S310 - an engine of ours
    with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 - as above
        body: dict[str, Any] = json.load(response)
    return body


def _component(entry: dict[str, Any]) -> dict[str, Any]:
    example = json.dumps(entry["config_example"], ensure_ascii=False, indent=2)
    return {
        **entry,
        "name": both_names(entry["display_name"]),
        "example": {"text": example, "html": highlighted(example, "json")},
    }


def _service(entry: dict[str, Any], url: str) -> dict[str, Any]:
    secrets = [
        {
            "key": secret["key"],
            "label": both(secret["label"]),
            "help": both(secret["help"]),
            "help_url": secret["help_url"],
            "optional": bool(secret.get("optional")),
        }
        for secret in entry["required_secrets"]
    ]
    return {
        "service": entry["service"],
        "name": both(entry["display_name"]),
        "description": both(entry["description"]),
        "category": entry["category"],
        "primitive": entry["primitive"],
        "base_url": entry["base_url"].replace(url, ""),
        "secrets": secrets,
        "snippets": set_up(entry["service"], [secret["key"] for secret in secrets]),
    }


def set_up(service: str, keys: list[str]) -> dict[str, dict[str, str]]:
    """Return the code that stores a service's secrets and opens a client for it, in each language."""
    python = "\n".join(
        [
            "import os",
            "",
            "from arcrun import Arcrun",
            "",
            "with Arcrun() as client:",
            "    client.auth.setup(",
            f'        "{service}",',
            *(f'        {key}=os.environ["{key.upper()}"],' for key in keys),
            "    )",
            f'    with client.auth.bind("{service}") as {service}:',
            f"        print({service}.base_url)",
            "",
        ]
    )
    javascript = "\n".join(
        [
            'import { Arcrun } from "@arcrun/sdk";',
            "",
            "const client = new Arcrun();",
            f'await client.auth.setup("{service}", {{',
            *(f"  {key}: process.env.{key.upper()}," for key in keys),
            "});",
            f'const {service} = await client.auth.bind("{service}");',
            f"console.log({service}.baseUrl);",
            "",
        ]
    )
    return {
        "python": {"text": python, "html": highlighted(python, "python")},
        "javascript": {"text": javascript, "html": highlighted(javascript, "javascript")},
    }


def _api_recipe(entry: dict[str, Any], url: str) -> dict[str, Any]:
    name = entry["display_name"].split("：")[-1]
    return {
        "id": entry["canonical_id"],
        "name": both_names(name),
        "description": both(entry["description"]),
        "method": entry["method"],
        "endpoint": entry["endpoint"].replace(url, ""),
        "service": entry.get("auth_service"),
    }
