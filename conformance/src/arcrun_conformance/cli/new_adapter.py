"""The command `arcrun-conformance new-adapter`."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from arcrun_conformance.printing import print_line
from arcrun_conformance.whole_files import write_whole

from .options import DATA, GO, UsageError, command

if TYPE_CHECKING:
    from .options import Commands

SKELETONS = DATA / "adapters/skeletons"


@dataclass(frozen=True)
class Skeleton:
    """How the adapter of a language is called, started and built.

    Attributes:
        file: The file of the adapter.
        runtime: What runs it.
        command: The command that starts it, as in a registry.
        requires: What has to exist before, as in a registry.
        build: The command that creates it; none if there is nothing to build.
    """

    file: str
    runtime: str
    command: tuple[str, ...]
    requires: str = ""
    build: tuple[str, ...] = ()


LANGUAGES = {
    "python": Skeleton("adapter.py", "cpython", ("{python}", "{here}/adapter.py")),
    "javascript": Skeleton("adapter.mjs", "node", ("node", "{here}/adapter.mjs")),
    "go": Skeleton(
        "adapter.go",
        "go",
        ("{here}/adapter.bin",),
        requires="{here}/adapter.bin",
        build=("go", "build", "-o", "{here}/adapter.bin", "{here}/adapter.go"),
    ),
    "ruby": Skeleton("adapter.rb", "ruby", ("ruby", "{here}/adapter.rb")),
}


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = command(
        commands, "new-adapter", "Write an adapter to begin with, which passes the scenario health."
    )
    parser.add_argument(
        "--language", choices=LANGUAGES, required=True, help="the language of the SDK"
    )
    parser.add_argument(
        "--name",
        type=_name,
        default="my-sdk",
        metavar="NAME",
        help="the name of the SDK in reports (default: my-sdk)",
    )
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path("adapter"),
        metavar="FOLDER",
        help="where to write it (default: adapter)",
    )
    parser.set_defaults(command=_new_adapter)


def _name(text: str) -> str:
    if not re.fullmatch("[a-z0-9][a-z0-9-]*", text):
        raise argparse.ArgumentTypeError("must consist of a-z, 0-9 and hyphens, e.g. my-sdk")
    return text


def _new_adapter(options: argparse.Namespace) -> int:
    skeleton, folder = LANGUAGES[options.language], options.folder
    source = (SKELETONS / options.language / skeleton.file).read_text("utf-8")
    files = {
        skeleton.file: source.replace("SDK_NAME", options.name),
        "adapters.yaml": registry(options.name, options.language),
    }
    existing = [name for name in files if (folder / name).exists()]
    if existing:
        raise UsageError(f"{folder / existing[0]} exists already; name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder, files)
    except OSError as error:
        raise UsageError(f"{folder} can't be written: {error.strerror}") from error
    _say_what_to_do(folder, skeleton)
    return GO


def registry(name: str, language: str) -> str:
    """Return the registry, `adapters.yaml`, of the skeleton of a language."""
    skeleton = LANGUAGES[language]
    lines = [
        "# How arcrun-conformance starts the adapter; {here} is this folder.",
        "adapters:",
        f"  - name: {name}",
        f"    language: {language}",
        f"    runtime: {skeleton.runtime}",
        f"    command: {json.dumps(skeleton.command)}",
    ]
    if skeleton.build:
        lines += [
            f"    requires: {json.dumps([skeleton.requires])}",
            f"    install: {json.dumps(' '.join(skeleton.build))}",
        ]
    return "\n".join(lines) + "\n"


def _say_what_to_do(folder: Path, skeleton: Skeleton) -> None:
    registry_file = folder / "adapters.yaml"
    run = ["arcrun-conformance", "run", "--adapters", str(registry_file), "--scenario", "health"]
    commands = [[part.format(here=folder) for part in skeleton.build], run]
    lines = [
        f"{folder / skeleton.file} and {registry_file} are written. Try them:",
        "",
        *(f"    {shlex.join(command)}" for command in commands if command),
        "",
        f"Then let {skeleton.file} use your SDK: PROTOCOL.md says how, one method after the other.",
    ]
    console = Console()
    for line in lines:
        print_line(console, line)
