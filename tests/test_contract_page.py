"""`docs/contract.md` names exactly what there is: errors, routes, services, recipes, components, limits."""

import importlib
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from arcrun_server.engine import BUILTIN_IDS, RunLimits
from arcrun_server.engine.clock import TIME_NAMES

ROOT = Path(__file__).resolve().parent.parent
SERVER = ROOT / "packages/server/src/arcrun_server"
PAGE = (ROOT / "docs/contract.md").read_text("utf-8")
OPENAPI = (ROOT / "openapi/arcrun.yaml").read_text("utf-8")
CONTRACT: dict[str, Any] = yaml.safe_load(OPENAPI)
# What stands at a capability that no engine of this repository has.

Row = tuple[str, ...]


def section(heading: str) -> str:
    """Return what stands below a heading, up to the next one of the same or a higher level."""
    start = PAGE.index(f"\n{heading}\n") + len(heading) + 2
    level = heading.count("#", 0, heading.index(" "))
    end = re.search(rf"\n\n#{{1,{level}}} ", PAGE[start:])  # a blank line: no comment in an example
    return PAGE[start : start + end.start()] if end else PAGE[start:]


def rows(heading: str, first: str) -> list[Row]:
    """Return the rows of a section's table, found by the title of its first column; without backticks."""
    lines = section(heading).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"| {first} |"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append(tuple(cell.strip().replace("`", "") for cell in line.strip("|").split("|")))
    return found


def catalog(kind: str) -> list[dict[str, Any]]:
    """Return the shipped recipes of a kind, as they stand in the catalog."""
    files = sorted((SERVER / "catalog" / kind).glob("*.yaml"))
    return [yaml.safe_load(file.read_text("utf-8")) for file in files]


def test_every_error_code_of_the_contract_is_in_the_table() -> None:
    code = CONTRACT["components"]["schemas"]["Error"]["properties"]["code"]
    listed = re.findall(r"`([a-z_]+)`", code["description"])
    assert [row[0] for row in rows("### Errors", "code")] == listed


def test_every_error_code_of_the_server_is_in_the_table() -> None:
    codes = {row[0] for row in rows("### Errors", "code")}
    sources = "\n".join(path.read_text("utf-8") for path in SERVER.rglob("*.py"))
    raised = set(re.findall(r'ApiError\(\s*\d{3},\s*"(\w+)"', sources))
    assert raised
    assert raised <= codes
    assert {code for code in codes if f'"{code}"' not in sources} == set()


def key_needed(operation: dict[str, Any]) -> str:
    security = operation.get("security", [])
    if not any("apiKey" in each for each in security):
        return "session" if security and all("session" in each for each in security) else "none"
    return "optional" if {} in security else "required"


def test_every_route_of_the_contract_is_in_the_table() -> None:
    operations = {
        f"{method.upper()} {path}": operation
        for path, item in CONTRACT["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }
    table = {row[0]: row for row in rows("## Routes", "route")}
    assert table.keys() == operations.keys()
    for route, operation in operations.items():
        assert table[route][1] == key_needed(operation), route
        assert operation.get("x-arcrun-sdk", "") in table[route][2], route


def test_the_capabilities_are_those_of_the_engine(engine: dict[str, str]) -> None:
    health = httpx.get(f"{engine['url']}/health").json()
    table = rows("### Capabilities", "capability")
    assert [name for name, _ in table] == health["capabilities"]


def test_every_shipped_service_is_in_the_table() -> None:
    shipped = [
        (
            recipe["service"],
            recipe["primitive"],
            recipe["base_url"],
            ", ".join(secret["key"] for secret in recipe["required_secrets"]),
        )
        for recipe in catalog("auth-recipes")
    ]
    assert [row[:4] for row in rows("### Shipped services", "service")] == shipped


def test_every_shipped_api_recipe_is_in_the_table() -> None:
    table = rows("## API recipes", "shipped recipe")
    recipes = catalog("api-recipes")
    assert [row[:2] for row in table] == [(r["canonical_id"], r["auth_service"]) for r in recipes]
    for row, recipe in zip(table, recipes, strict=True):
        names = re.findall(r"{{(\w+)}}", f"{recipe['endpoint']} {recipe.get('body')}")
        assert row[2].removesuffix(" (deprecated)") == ", ".join(names)


def test_every_shipped_prompt_recipe_is_in_the_table() -> None:
    shipped = [
        (
            recipe["id"].removeprefix("prompt_recipe:"),
            ", ".join(fragment["block_page_name"] for fragment in recipe["fragments"]),
            ", ".join(given["var"] for given in recipe["inputs"]),
        )
        for recipe in catalog("prompt-recipes")
    ]
    assert rows("## Versions of recipes", "shipped prompt recipe") == shipped


def test_every_component_is_in_the_table_with_parameters_that_it_has() -> None:
    files = {
        path.stem
        for path in (SERVER / "components").glob("*.py")
        if re.search(r"^CONTRACT\b", path.read_text("utf-8"), re.MULTILINE)
    }
    table = rows("## Components", "component")
    assert [row[0] for row in table] == sorted(files)
    for name, category, parameters, _ in table:
        contract = importlib.import_module(f"arcrun_server.components.{name}").CONTRACT
        assert (contract["canonical_id"], contract["category"]) == (name, category)
        assert set(re.findall(r"[a-z_]{3,}", parameters)) <= set(
            contract["input_schema"]["properties"]
        )


def test_every_built_in_is_in_the_table() -> None:
    assert {row[0] for row in rows("## Components", "built-in")} == BUILTIN_IDS


def test_every_time_variable_is_named() -> None:
    assert set(re.findall(r"`(_[a-z]\w*)`", section("### Placeholders"))) == TIME_NAMES


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nodes that run", f"{RunLimits().steps:,}"),
        ("time of a run", f"{RunLimits().seconds:g} s"),
        ("one node's result", f"{RunLimits().output_bytes // 2**20} MiB"),
        ("all results", f"{RunLimits().total_bytes // 2**20} MiB"),
        ("nesting", f"{RunLimits().depth} levels"),
    ],
)
def test_the_limits_are_those_of_the_engine(name: str, value: str) -> None:
    (found,) = [row[1] for row in rows("### Limits", "limit") if row[0].startswith(name)]
    assert found == value


def test_the_anchors_that_others_cite_exist() -> None:
    headings = re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    assert {
        "Transport",
        "Errors",
        "Capabilities",
        "Routes",
        "Pushing a workflow",
        "Retries and idempotency",
        "Credentials",
        "Auth recipes",
        "Pinned origins",
        "Workflow graphs",
        "Execution",
        "Placeholders",
        "API recipes",
        "Components",
        "Accounts",
        "Differences from the deployed engine",
    } <= set(headings)
