"""The command `arcrun-conformance export`."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from rich.console import Console

from arcrun_conformance.arazzo.document import Export
from arcrun_conformance.arazzo.document import export as exported
from arcrun_conformance.arazzo.operations import METHODS
from arcrun_conformance.documents import read_yaml, shown
from arcrun_conformance.printing import print_line
from arcrun_conformance.resources import checkout
from arcrun_conformance.runs.cleanup import PREFIX
from arcrun_conformance.scenarios.scenario import load_all, select
from arcrun_conformance.whole_files import write_whole

from .options import DATA, GO, UsageError, command

if TYPE_CHECKING:
    import argparse

    from .options import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = command(
        commands,
        "export",
        "Write scenarios of the engine suite in another format, for other tools.",
    )
    parser.add_argument(
        "--format", choices=["arazzo"], required=True, help="arazzo is Arazzo 1.0.1"
    )
    parser.add_argument(
        "--scenario",
        action="append",
        default=[],
        metavar="GLOB",
        help="only scenarios whose id matches; may be repeated",
    )
    parser.add_argument(
        "--scenarios",
        type=Path,
        default=DATA / "scenarios/engine",
        metavar="DIR",
        help="the folder of the scenarios (default: those of the package)",
    )
    parser.add_argument(
        "--openapi",
        type=Path,
        metavar="FILE",
        help="the OpenAPI document of the engine, in YAML or JSON (default: that of the checkout; an "
        "engine serves it at /openapi.json)",
    )
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="what to write: .json is JSON, anything else YAML"
    )
    parser.set_defaults(command=_export)


def _export(options: argparse.Namespace) -> int:
    openapi = options.openapi or _own_openapi()
    operations = _read(openapi)
    scenarios = select(load_all(options.scenarios, "engine"), options.scenario)
    if not scenarios:
        raise UsageError(f"no scenario of the engine suite matches {', '.join(options.scenario)}")
    run = PREFIX + secrets.token_hex(4)
    target: Path = options.file
    url = Path(os.path.relpath(openapi, target.parent)).as_posix()
    result = exported(scenarios, operations, url, run)
    if result.exported:
        _write(target, result.document)
    for line in summary(result, target):
        print_line(Console(), line)
    if not result.exported:
        raise UsageError(f"no scenario can be written as Arazzo, so there is no {target}")
    return GO


def summary(result: Export, target: Path) -> list[str]:
    """Return what was written, and how many scenarios were left out for each reason."""
    left_out = sum(map(len, result.left_out.values()))
    lines = [f"{result.exported} of {result.exported + left_out} scenarios written to {target}"]
    counted = sorted(result.left_out.items(), key=lambda item: (-len(item[1]), item[0]))
    for reason, ids in counted:
        examples = ", ".join(ids[:3]) + (", …" if len(ids) > 3 else "")
        lines.append(f"{len(ids):>4} left out: {reason} ({examples})")
    return lines


def _own_openapi() -> Path:
    repository = checkout()
    if repository is None:
        raise UsageError(
            "the installed package has no OpenAPI document: save what the engine serves at "
            "/openapi.json, and name the file with --openapi"
        )
    return repository / "openapi" / "arcrun.yaml"


def _read(path: Path) -> dict[str, Any]:
    document = read_yaml(path)
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise UsageError(f"{path} is no OpenAPI document: it has no paths")
    for name, item in document["paths"].items():
        operations = (
            [item[key] for key in METHODS if key in item] if isinstance(item, dict) else [0]
        )
        if not isinstance(name, str) or not all(map(_is_operation, operations)):
            raise UsageError(
                f"{path} is no OpenAPI document: the operations of {shown(str(name))} are not objects "
                "whose operationId is a text"
            )
    return document


def _is_operation(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("operationId", ""), str)


def _write(path: Path, document: dict[str, Any]) -> None:
    if path.suffix == ".json":
        text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    else:
        text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)
    try:
        _write_text(path, text)
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror or error}") from error


def _write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all; nothing takes the place of what is no file, such as a pipe."""
    if path.exists() and not path.is_file():
        path.write_text(text, "utf-8")
    else:
        file = path.resolve()  # so that a link stays one
        write_whole(file.parent, {file.name: text})
