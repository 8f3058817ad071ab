"""The entry of `arcrun-mcp` in the MCP registry."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from scripts import ROOT
from scripts.release.mcp_registry import NAME, README, main, problems, registry_entry
from scripts.release.versions import SDK_FOLDER, SERVER_JSON

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = json.loads((ROOT / "scripts/release/mcp_registry.schema.json").read_text("utf-8"))
FILES = (
    f"{SDK_FOLDER}/pyproject.toml",
    f"{SDK_FOLDER}/src/arcrun/_version.py",
    README,
    SERVER_JSON,
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def command(entry: dict[str, Any]) -> list[str]:
    """Compose the command as clients do."""
    (package,) = entry["packages"]

    def shown(arguments: list[dict[str, str]]) -> list[str]:
        return [part for each in arguments for part in (each.get("name"), each["value"]) if part]

    identifier = f"{package['identifier']}=={package['version']}"
    return [
        package["runtimeHint"],
        *shown(package["runtimeArguments"]),
        identifier,
        *shown(package["packageArguments"]),
    ]


def test_a_client_starts_the_program_of_this_version_with_its_extra() -> None:
    entry = registry_entry()
    version = entry["version"]
    assert command(entry) == [
        "uvx",
        *("--with", f"arcrun[mcp]=={version}"),
        *("--from", f"arcrun=={version}"),
        "arcrun-mcp",
    ]
    scripts = (ROOT / SDK_FOLDER / "pyproject.toml").read_text("utf-8")
    assert '\narcrun-mcp = "arcrun.mcp:main"\n' in scripts
    assert "\nmcp = [" in scripts


def test_this_checkout_is_up_to_date() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    "changed",
    [
        {"description": "x" * 101},
        {"name": "io.github.someone/arcrun-mcp"},
        {"version": "latest"},
        {"packages": []},
        {"remotes": []},
    ],
)
def test_what_the_registry_would_refuse_is_refused(changed: dict[str, Any]) -> None:
    jsonschema.validate(registry_entry(), SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(registry_entry() | changed, SCHEMA)


def test_another_name_of_the_distribution_is_followed(tree: Path) -> None:
    path = tree / SDK_FOLDER / "pyproject.toml"
    path.write_text(path.read_text("utf-8").replace('name = "arcrun"', 'name = "arcrun-sdk"', 1))
    (problem,) = problems(tree)
    assert problem.startswith(f"{SERVER_JSON} is out of date")
    assert main([], tree) == 0
    (package,) = json.loads((tree / SERVER_JSON).read_text("utf-8"))["packages"]
    assert package["identifier"] == "arcrun-sdk"
    assert package["runtimeArguments"][0]["value"].startswith("arcrun-sdk[mcp]==")


@pytest.mark.parametrize("mark", ["", f"mcp-name: {NAME}.", "mcp-name: io.github.x/y"])
def test_a_readme_without_the_name_is_a_problem(tree: Path, mark: str) -> None:
    text = (tree / README).read_text("utf-8").replace(f"mcp-name: {NAME}", mark)
    (tree / README).write_text(text, "utf-8")
    (problem,) = problems(tree)
    assert problem.startswith(f"{README} must have `mcp-name: {NAME}` once")
    assert main(["--check"], tree) == 1
