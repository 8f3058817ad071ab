"""The steps of a rehearsal that carry out the design's example: on an engine that has just been installed, by an SDK."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from scripts import processes
from scripts.engine import engine_with_accounts
from scripts.rehearsal import StepFailed
from scripts.release.example import design, faces, programs
from scripts.release.npm import tools
from scripts.release.python.index import package_index
from scripts.release.python.install import install_package
from scripts.release.versions import SDK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.engine import Engine
    from scripts.rehearsal import Figures
    from scripts.release.context import ReleaseContext


def python(context: ReleaseContext, figures: Figures) -> None:
    """Carry out the example with the installed engine and the installed Python SDK."""
    program = context.work / "example.py"
    program.write_text(programs.PYTHON, "utf-8")
    command = [str(context.environments[SDK].python), "-I", str(program)]
    engine = context.environments["arcrun-server"].python
    figures.update(carry_out(command, engine, context.root, context.log("example")))


def javascript(context: ReleaseContext, figures: Figures) -> None:
    """Carry out the example with the installed engine and the installed JavaScript SDK, in Node.js."""
    program = context.npm_clean / "example.mjs"
    program.write_text(programs.JAVASCRIPT, "utf-8")
    command = [tools.program("node"), str(program)]
    engine = context.environments["arcrun-server"].python
    figures.update(carry_out(command, engine, context.root, context.log("npm_example")))


def by_faces(context: ReleaseContext, figures: Figures) -> None:
    """Carry out the example through the installed `acr`, and through the installed `arcrun-mcp`."""
    with package_index(context.uploads, context.log("index")) as url:
        environment = context.faces = install_package(
            context.root,
            context.artifacts,
            SDK,
            index=url,
            folder=context.work / "env" / "arcrun-faces",
            log=context.log("install"),
            downloads=context.downloads,
            extras=("cli", "mcp"),
        )
    engine = context.environments["arcrun-server"].python
    for face, source in (("acr", faces.ACR), ("mcp", faces.MCP)):
        program = context.work / f"example_{face}.py"
        program.write_text(source, "utf-8")
        command = [str(environment.python), "-I", str(program)]
        found = carry_out(command, engine, context.root, context.log(f"example_{face}"))
        figures.update({f"{face}_{name}": value for name, value in found.items()})


def carry_out(program: list[str], engine_python: Path, root: Path, log: Path) -> Figures:
    """Run a program of a user on a new engine, and compare what it returned and what stands in the knowledge base.

    Args:
        program: The command; the name of the file with what is given to it is added.
        engine_python: The interpreter of the environment where `arcrun-server` is installed.
        root: The checkout, with the files of the design.
        log: Receives what the program and the engine print.

    Returns:
        How many pages were written, and of how many ranges the prompt is known where they are from.

    Raises:
        StepFailed: Something is not as the design says.
        processes.CommandFailed: The program failed.
    """
    seeds = design.seeds(root)
    with processes.temporary_folder("arcrun-example-") as folder:
        script, given = folder / "replies.json", folder / "given.json"
        script.write_text(json.dumps(design.script()), "utf-8")
        settings = {"ARCRUN_SERVER_LLM_SCRIPT": str(script)}
        with engine_with_accounts(engine_python, folder / "data", log, settings=settings) as engine:
            drafts = _write_blocks(engine)
            given.write_text(json.dumps(seeds.given(drafts)), "utf-8")
            variables = {"ARCRUN_API_KEY": engine.keys[0], "ARCRUN_BASE_URL": engine.url}
            found = json.loads(processes.run([*program, str(given)], log=log, env=variables))
            wrong = [*differences(found, seeds, drafts), *_wrong_pages(engine)]
    if wrong:
        raise StepFailed("the design's example went wrong:\n" + "\n".join(wrong))
    ranges = sum(len(message["ranges"]) for message in found["messages"])
    return {"pages_written": len(design.ENTITIES), "ranges_of_the_prompt": ranges}


def _write_blocks(engine: Engine) -> list[Any]:
    """Write templates, index and drafts; return the blocks of the first entity's page, as a node reads them."""
    drafts = [design.draft(entity) for entity in design.ENTITIES]
    for block in (*design.TEMPLATES, design.INDEX, *drafts):
        _ask(engine, "/kbdb/blocks", block)
    return _page(engine, design.ENTITIES[0])


def differences(found: Any, seeds: design.Seeds, drafts: list[Any]) -> Iterator[str]:
    """Yield what a program returned and should not have.

    Args:
        found: What it returned.
        seeds: The files of the design.
        drafts: The blocks of the first entity's page.
    """
    expected = {
        "versions": [1, 2],
        "warnings": [[], []],
        "source": seeds.recipe.read_text("utf-8"),
        "success": True,
        "messages": design.messages(drafts),
    }
    for name, value in expected.items():
        if found[name] != value:
            yield f"{name}: {_shown(found[name])} instead of {_shown(value)}"
    if design.REFUSED not in str(found["refused"]):
        yield f"refused: {_shown(found['refused'])} does not say {_shown(design.REFUSED)}"


def _wrong_pages(engine: Engine) -> Iterator[str]:
    """Yield which pages of the knowledge base hold something else than they must."""
    for entity in design.ENTITIES:
        texts = {
            f"wiki_synthesis/{entity}": design.paragraphs(entity),
            entity: [design.draft(entity)["content"]],
        }
        for page, expected in texts.items():
            written = [block["content"] for block in _page(engine, page)]
            if written != expected:
                yield f"page {page}: {_shown(written)} instead of {_shown(expected)}"


def _page(engine: Engine, name: str) -> list[Any]:
    blocks: list[Any] = _ask(engine, f"/kbdb/blocks?{urlencode({'page_name': name})}")["blocks"]
    return blocks


def _ask(engine: Engine, path: str, body: Any = None) -> Any:
    """Send a request to the engine, and return its response: the SDKs have no methods for blocks."""
    headers = {"X-Arcrun-API-Key": engine.keys[0], "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(engine.url + path, data, headers)  # noqa: S310 - our engine
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as response:
        return json.load(response)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
