"""Write `server.json`, from which the MCP registry knows `arcrun-mcp`.

The registry grants the names `dev.arcrun/…` to whoever proves to hold the domain arcrun.dev, and checks that the
description of the package on PyPI, which is the README, has the same name. `python -m scripts.release.mcp_registry`
writes the file from the name and the version of the distribution; `--check` fails where it, or the README, differs.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from typing import TYPE_CHECKING, Any

from scripts import ROOT
from scripts.release.versions import (
    SDK,
    SDK_FOLDER,
    SERVER_JSON,
    distribution_name,
    package_version,
)

if TYPE_CHECKING:
    from pathlib import Path

NAME = "dev.arcrun/arcrun-mcp"
README = f"{SDK_FOLDER}/README.md"
COMMAND = "arcrun-mcp"
_MARK = re.compile(r"mcp-name:\s*(\S+)")
VARIABLES: list[dict[str, Any]] = [
    {
        "name": "ARCRUN_API_KEY",
        "description": "The key of your account; leave it out if `acr login` has stored one.",
        "isSecret": True,
    },
    {
        "name": "ARCRUN_BASE_URL",
        "description": "The URL of your engine; by default the hosted one.",
    },
]


def registry_entry(root: Path = ROOT) -> dict[str, Any]:
    """Return the entry for the registry.

    A client composes `uvx`, the runtime arguments, the package with its version, and the package arguments:
    `uvx --with 'arcrun[mcp]==1.2.3' --from arcrun==1.2.3 arcrun-mcp`, since the program has another name than the
    package, and needs an extra.
    """
    package = distribution_name(SDK_FOLDER, root)
    version = package_version(root, SDK)
    return {
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": NAME,
        "title": "arcrun",
        "description": "Build, run and debug workflows, prompt recipes and a knowledge base on an arcrun engine.",
        "version": version,
        "websiteUrl": "https://arcrun.dev",
        "packages": [
            {
                "registryType": "pypi",
                "registryBaseUrl": "https://pypi.org",
                "identifier": package,
                "version": version,
                "runtimeHint": "uvx",
                "runtimeArguments": [
                    {"type": "named", "name": "--with", "value": f"{package}[mcp]=={version}"},
                    {"type": "positional", "value": "--from"},
                ],
                "packageArguments": [{"type": "positional", "value": COMMAND}],
                "environmentVariables": VARIABLES,
                "transport": {"type": "stdio"},
            }
        ],
    }


def written(entry: dict[str, Any]) -> str:
    """Return the text of the file."""
    return json.dumps(entry, ensure_ascii=False, indent=2) + "\n"


def problems(root: Path = ROOT) -> list[str]:
    """Return what is wrong with the file and with the README."""
    found = []
    path = root / SERVER_JSON
    if not path.is_file() or path.read_text("utf-8") != written(registry_entry(root)):
        found.append(f"{SERVER_JSON} is out of date: run: python -m scripts.release.mcp_registry")
    marks = _MARK.findall((root / README).read_text("utf-8"))
    if marks != [NAME]:
        found.append(f"{README} must have `mcp-name: {NAME}` once, and has {marks or 'none'}")
    return found


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Write the file, or with `--check` print what is wrong; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    if not parser.parse_args(arguments).check:
        (root / SERVER_JSON).write_text(written(registry_entry(root)), "utf-8", newline="\n")
    found = problems(root)
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
