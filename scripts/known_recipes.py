"""Write what both SDKs know of the shipped services, from the engine's catalog.

    python -m scripts.known_recipes            write the tables
    python -m scripts.known_recipes --check    fail if one is not what would be written

An SDK compares the recipe that an engine returns with its own table before it fills in a secret: on
some engines anyone can rewrite a recipe. So the table holds what decides where a secret goes: the
base URL, the templates by section and name, the keys of the secrets, and the token endpoint.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

import yaml

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CATALOG = ROOT / "packages/server/src/arcrun_server/catalog/auth-recipes"
PYTHON = ROOT / "packages/python-sdk/src/arcrun/_core/known_recipes.py"
TYPESCRIPT = ROOT / "packages/js-sdk/src/recipes/knownRecipes.ts"

NOTICE = "Generated from the engine's catalog by scripts/known_recipes.py."


def read_catalog(folder: Path) -> dict[str, list[Any]]:
    """Return the shape of each recipe in a folder, by service."""
    recipes = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in folder.glob("*.yaml")]
    return {r["service"]: shape_of(r) for r in sorted(recipes, key=lambda r: str(r["service"]))}


def shape_of(recipe: Mapping[str, Any]) -> list[Any]:
    """Return what decides where a recipe's secrets go.

    Raises:
        ValueError: The recipe adds something without a secret other than a header: the SDKs refuse that.
    """
    sections = {}
    for section, entries in recipe["inject"].items():
        templates = {name: text for name, text in entries.items() if "{{" in str(text)}
        if section != "header" and templates != entries:
            raise ValueError(f"{recipe['service']}: {section} holds an entry without a placeholder")
        sections[section] = templates
    keys = [secret["key"] for secret in recipe["required_secrets"]]
    endpoint = recipe.get("token_exchange", {}).get("endpoint")
    return [recipe["base_url"], sections, keys, *([endpoint] if endpoint else [])]


def python_module(shapes: Mapping[str, list[Any]]) -> str:
    """Return the table as a Python module."""
    lines = [
        f'"""What the SDK knows of the shipped services. {NOTICE}"""',
        "",
        "from typing import NamedTuple",
        "",
        "",
        "class KnownRecipe(NamedTuple):",
        '    """What decides where the secrets of a shipped service go."""',
        "",
        "    base_url: str",
        "    inject: dict[str, dict[str, str]]",
        "    keys: list[str]",
        "    token_endpoint: str | None = None",
        "",
        "",
        "# fmt: off",
        "KNOWN: dict[str, KnownRecipe] = {",
    ]
    for service, shape in shapes.items():
        arguments = ", ".join(
            json.dumps(part) for part in shape
        )  # Python writes these the same way
        lines.append(f"    {json.dumps(service)}: KnownRecipe({arguments}),")
    return "\n".join([*lines, "}", ""])


def typescript_module(shapes: Mapping[str, list[Any]]) -> str:
    """Return the table as a TypeScript module."""
    lines = [
        "// biome-ignore-all format: generated",
        f"/** What the SDK knows of the shipped services. {NOTICE} */",
        "",
        "/** What decides where a service's secrets go: base URL, templates by section and name, keys, token endpoint. */",
        "export type KnownRecipe = readonly [",
        "  baseUrl: string,",
        "  inject: Readonly<Record<string, Readonly<Record<string, string>>>>,",
        "  keys: readonly string[],",
        "  tokenEndpoint?: string,",
        "];",
        "",
        "export const knownRecipes: Readonly<Record<string, KnownRecipe>> = {",
    ]
    for service, (base_url, inject, *rest) in shapes.items():
        sections = [
            f"{section}: {{ {', '.join(_entry(*entry) for entry in entries.items())} }}"
            for section, entries in inject.items()
        ]
        parts = [json.dumps(base_url), f"{{ {', '.join(sections)} }}", *map(json.dumps, rest)]
        lines.append(f"  {service}: [{', '.join(parts)}],")
    return "\n".join([*lines, "};", ""])


def _entry(name: str, template: str) -> str:
    return f"{name if name.isidentifier() else json.dumps(name)}: {json.dumps(template)}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    options = parser.parse_args(arguments)
    shapes = read_catalog(CATALOG)
    modules = {PYTHON: python_module(shapes), TYPESCRIPT: typescript_module(shapes)}
    stale = [
        path
        for path, text in modules.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if options.check:
            name = path.relative_to(ROOT)
            print(f"{name} differs: run python -m scripts.known_recipes", file=sys.stderr)
        else:
            path.write_text(modules[path], encoding="utf-8", newline="\n")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
