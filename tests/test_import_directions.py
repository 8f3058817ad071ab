"""Who may import whom (docs/architecture.md): an allow-list of folders, which must name every folder that has code."""

import ast
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {"arcrun", "arcrun_server", "arcrun_conformance", "scripts"}
TOPS = (
    "packages/python-sdk/src",
    "packages/server/src",
    "conformance/src",
    "conformance/adapters",
    "conformance/mutants/servers",
    "scripts",
)
# Python files that no folder of TOPS has, and that need no rule; files of tests are others still.
OTHER_FILES = {
    "noxfile.py",
    "conftest.py",
    "packages/website/snippets/quickstart.py",
    "conformance/conftest.py",
    "conformance/mutants/python_mutant.py",
    "conformance/mutants/server_mutant.py",
    "conformance/mutants/wire_defects.py",
    "conformance/mutants/python_source.py",
    "conformance/mutants/python_source_auth.py",
    "conformance/mutants/python_source_edges.py",
    "conformance/mutants/python_source_parts.py",
    "conformance/mutants/python_source_options.py",
    "conformance/mutants/python_source_promises.py",
    "conformance/mutants/python_source_events.py",
    "conformance/mutants/python_source_recipes.py",
    "conformance/mutants/python_source_requests.py",
    "conformance/mutants/python_source_state.py",
    "conformance/mutants/python_source_values.py",
}
# What a module without input and output may import: of the standard library, and of others, what reads no files,
# speaks to no network, starts nothing, and imports nothing that this test can't see.
PURE_MODULES = (
    *(
        "__future__",
        "base64",
        "bisect",
        "calendar",
        "collections",
        "contextlib",
        "contextvars",
        "copy",
    ),
    *(
        "dataclasses",
        "datetime",
        "difflib",
        "email.utils",
        "functools",
        "heapq",
        "hashlib",
        "html",
        "ipaddress",
        "itertools",
    ),
    *(
        "json",
        "math",
        "operator",
        "os.urandom",
        "random",
        "re",
        "time",
        "typing",
        "urllib.parse",
        "zlib",
    ),
    "asyncio",  # to wait for several things; the engine is handed what does input and output
    "zoneinfo",  # the rules of time zones, which are data
    "sys",  # for limits of the interpreter
    *("cryptography", "pydantic", "pydantic_core", "typing_extensions", "yaml"),
)
# Builtin functions that need no import.
IO_FUNCTIONS = {"open", "input", "print", "exec", "eval", "__import__"}


@dataclass(frozen=True)
class Rule:
    """What the modules of one folder may import.

    Args:
        ours: Modules of ours, each with everything below it. A folder may always import its own modules, and the
            `__init__` of a folder those below it.
        pure: Whether the folder does no input or output, so that it imports only `PURE_MODULES`.
    """

    ours: tuple[str, ...] = ()
    pure: bool = False


# Modules that every folder of a package may import: they themselves import no folder.
SHARED_BY_SERVER = ("clock", "errors", "json_text", "durable_files", "slots", "_version")
SHARED_BY_HARNESS = (
    *("bytecode", "cancellation", "cleaning"),
    *("documents", "json_files", "resources", "_version"),
)


def server(*folders: str, pure: bool = False) -> Rule:
    """Return the rule of a folder of the server."""
    names = (*SHARED_BY_SERVER, *folders)
    return Rule(tuple(f"arcrun_server.{name}" for name in names), pure)


def harness(*folders: str) -> Rule:
    """Return the rule of a folder of the harness."""
    names = (*SHARED_BY_HARNESS, *folders)
    return Rule(tuple(f"arcrun_conformance.{name}" for name in names))


SDK, SERVER, HARNESS = (
    "packages/python-sdk/src/arcrun",
    "packages/server/src/arcrun_server",
    "conformance/src/arcrun_conformance",
)
RULES = {
    # The SDK: `_core` holds everything that needs no connection; `_sync` is generated from `_async`.
    SDK: Rule(("arcrun",)),
    f"{SDK}/_core": Rule(("arcrun._version",), pure=True),
    f"{SDK}/_async": Rule(("arcrun._core", "arcrun._http", "arcrun._local", "arcrun._concurrency")),
    f"{SDK}/_sync": Rule(("arcrun._core", "arcrun._http", "arcrun._local", "arcrun._concurrency")),
    # Its two faces are made from one table of commands, and know nothing of each other.
    f"{SDK}/commands": Rule(
        ("arcrun.Arcrun", "arcrun._core", "arcrun._http", "arcrun._local", "arcrun._version")
    ),
    f"{SDK}/cli": Rule(
        ("arcrun.Arcrun", "arcrun.commands", "arcrun._core", "arcrun._local", "arcrun._version")
    ),
    f"{SDK}/mcp": Rule(
        (
            "arcrun.Arcrun",
            "arcrun.commands",
            "arcrun._concurrency",
            "arcrun._core",
            "arcrun._version",
        )
    ),
    # The server: routes → runs → recipes and components → engine; nothing points back up.
    SERVER: Rule(("arcrun_server",)),
    f"{SERVER}/routes": server(
        *("web", "runs", "recipes", "components", "engine", "store", "accounts", "settings"),
        *("validation", "workers", "kbdb", "telemetry"),
    ),
    f"{SERVER}/web": server(
        *("accounts", "engine.cancellation", "engine.characters", "engine.model"),
        *("engine.nearest", "telemetry"),
    ),
    f"{SERVER}/workers": server("engine.cancellation"),
    f"{SERVER}/runs": server(
        *("recipes", "components", "engine", "store", "sealing", "kbdb", "telemetry")
    ),
    f"{SERVER}/recipes": server("recipes", "kbdb", "llm", "outbound", "engine", "validation"),
    f"{SERVER}/recipes/auth": server("recipes", "outbound", "engine", "validation"),
    f"{SERVER}/recipes/api": server("recipes", "outbound", "engine", "validation"),
    f"{SERVER}/recipes/prompt": Rule(
        ("arcrun_server.engine", "arcrun_server.recipes.reference"), pure=True
    ),
    f"{SERVER}/kbdb": server("engine", "components.contract"),
    f"{SERVER}/components": server("outbound", "engine", "workers", "llm"),
    f"{SERVER}/llm": server("engine", "outbound"),
    f"{SERVER}/outbound": server("engine", "telemetry"),
    f"{SERVER}/telemetry": server("engine"),
    f"{SERVER}/engine": Rule(pure=True),
    f"{SERVER}/accounts": server("store", "sealing"),
    f"{SERVER}/maintenance": server("store", "sealing", "settings"),
    f"{SERVER}/store": server(
        *("sealing", "engine", "kbdb", "recipes.reference", "recipes.versions"),
        *("recipes.recorded_prompt", "store.migrations", "telemetry.database_state"),
    ),
    f"{SERVER}/store/migrations": server("store"),
    f"{SERVER}/sealing": server(),
    # The harness speaks to adapters over stdio and to engines over HTTP: it imports neither SDK nor server.
    # Inside of it: cli → report → runs → checks → wire and adapters → scenarios.
    HARNESS: Rule(("arcrun_conformance",)),
    f"{HARNESS}/cli": Rule(("arcrun_conformance",)),
    f"{HARNESS}/report": harness(
        *("runs", "checks", "wire", "adapters", "secrets", "parity", "gate", "printing")
    ),
    f"{HARNESS}/replay": harness(
        *("runs", "checks", "wire", "adapters", "scenarios", "secrets", "target")
    ),
    f"{HARNESS}/runs": harness(
        *("checks", "wire", "adapters", "scenarios", "secrets", "target", "local_engine")
    ),
    f"{HARNESS}/arazzo": harness("runs", "scenarios"),
    f"{HARNESS}/checks": harness("wire", "adapters", "scenarios", "secrets"),
    f"{HARNESS}/wire": harness("scenarios"),
    f"{HARNESS}/adapters": harness(),
    f"{HARNESS}/scenarios": harness(),
    "conformance/adapters": Rule(("arcrun",)),
    "conformance/adapters/javascript": Rule(),
    "conformance/adapters/skeletons/python": Rule(),
    "conformance/mutants/servers": Rule(("arcrun_server",)),
    # What releases and comparisons need: no package of ours is imported, each is run.
    "scripts": Rule(),
    "scripts/bench": Rule(("scripts",)),
    "scripts/fuzz": Rule(("scripts",)),
    # The server that the suite of the protocol measures is the program itself, with a few more tools.
    "scripts/mcp_conformance": Rule(("scripts", "arcrun")),
    "scripts/mutation": Rule(("scripts",)),
    "scripts/parity": Rule(("scripts",)),
    "scripts/parity/faces": Rule(("scripts", "arcrun.commands")),
    "scripts/website": Rule(("scripts",)),
    "scripts/release": Rule(("scripts",)),
    "scripts/release/compatibility": Rule(("scripts",)),
    "scripts/release/example": Rule(("scripts",)),
    "scripts/release/npm": Rule(("scripts",)),
    "scripts/release/publish": Rule(("scripts",)),
    "scripts/release/python": Rule(("scripts",)),
}
# Single files that are stricter than their folder.
PURE_FILES = (
    "scripts/release/publish/state.py",
    f"{SERVER}/recipes/auth/record.py",
    f"{SERVER}/recipes/api/record.py",
    f"{SERVER}/recipes/fields.py",
    f"{SERVER}/recipes/reference.py",
    f"{SERVER}/recipes/versions.py",
    f"{SERVER}/recipes/differences.py",
    f"{SERVER}/validation.py",
)


def module_name(path: Path, root: Path) -> str:
    """Return the dotted name of a file; below a folder `src`, names start there."""
    parts = [part for part in path.relative_to(root).with_suffix("").parts if part != "__init__"]
    return ".".join(parts[parts.index("src") + 1 :] if "src" in parts else parts)


def imports_of(path: Path, root: Path) -> set[str]:
    """Return what a file imports, in functions and under TYPE_CHECKING too, as full names."""
    package = module_name(path, root).split(".")
    package = package if path.name == "__init__.py" else package[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def calls_of(path: Path) -> list[str]:
    """Return the builtin functions for input and output that a file calls."""
    calls = (
        node.func
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
    )
    return sorted(
        {function.id for function in calls if isinstance(function, ast.Name)} & IO_FUNCTIONS
    )


def sources(root: Path) -> list[Path]:
    skipped = {"tests", "node_modules", "__pycache__"}
    files = [path for top in TOPS for path in sorted((root / top).rglob("*.py"))]
    return [path for path in files if not skipped & set(path.relative_to(root).parts)]


def is_within(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def violations(root: Path) -> list[str]:
    """Return what breaks the rules, a sentence for each."""
    found = []
    for path in sources(root):
        file = path.relative_to(root).as_posix()
        folder = path.parent.relative_to(root).as_posix()
        if folder not in RULES:
            found.append(f"{folder} has no rule: add it to RULES and docs/architecture.md")
            continue
        rule, own = RULES[folder], module_name(path.parent / "__init__.py", root)
        pure = rule.pure or file in PURE_FILES
        found += [
            f"{file} calls {name}, and does no input or output" for name in calls_of(path) if pure
        ]
        for name in sorted(imports_of(path, root)):
            is_ours = name.partition(".")[0] in OURS
            if pure and not is_ours and not is_within(name, PURE_MODULES):
                found.append(f"{file} imports {name}, which is not in PURE_MODULES")
            inside = name.startswith(f"{own}.") and (
                path.name == "__init__.py" or not is_in_other_folder(name, folder, root)
            )
            if is_ours and not inside and not is_within(name, rule.ours):
                found.append(f"{file} imports {name}, which the rule of {folder} does not allow")
    return list(dict.fromkeys(found))


def is_in_other_folder(name: str, folder: str, root: Path) -> bool:
    """Tell whether a name below a folder's package belongs to a folder of its own in it."""
    own = module_name(root / folder / "__init__.py", root)
    return (root / folder / name[len(own) + 1 :].partition(".")[0]).is_dir()


def test_every_import_goes_in_an_allowed_direction() -> None:
    assert violations(ROOT) == []


def tracked_files() -> list[str]:
    """Return the Python files of this repository, new ones included."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.py"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [file for file in listed.split("\0") if file and (ROOT / file).is_file()]


def is_covered(file: str) -> bool:
    """Tell whether a file is in a folder that needs a rule, or is part of tests."""
    return "tests" in Path(file).parts or file.startswith(tuple(f"{top}/" for top in TOPS))


def test_no_python_file_is_outside_of_the_folders_that_need_a_rule() -> None:
    """A new package, or a new folder at the top, is added to TOPS."""
    assert {file for file in tracked_files() if not is_covered(file)} == OTHER_FILES


@pytest.mark.parametrize(
    "file", ["packages/new/src/new/a.py", "tools/a.py", "conformance/new/a.py"]
)
def test_a_file_in_a_new_package_is_not_covered(file: str) -> None:
    assert not is_covered(file)


def test_every_rule_and_every_pure_file_still_exists() -> None:
    folders = {path.parent.relative_to(ROOT).as_posix() for path in sources(ROOT)}
    assert set(RULES) == folders
    assert [file for file in PURE_FILES if not (ROOT / file).is_file()] == []


@pytest.mark.parametrize(
    ("package", "shared"), [(SERVER, SHARED_BY_SERVER), (HARNESS, SHARED_BY_HARNESS)]
)
def test_what_every_folder_may_import_imports_no_folder(
    package: str, shared: tuple[str, ...]
) -> None:
    name = Path(package).name
    allowed = tuple(f"{name}.{module}" for module in shared)
    for module in shared:
        imported = imports_of(ROOT / package / f"{module}.py", ROOT)
        assert [
            one for one in imported if one.startswith(f"{name}.") and not one.startswith(allowed)
        ] == []


def test_httpx_is_imported_by_one_module_of_the_sdk() -> None:
    importing = [
        path.relative_to(ROOT / SDK).as_posix()
        for path in sources(ROOT)
        if path.is_relative_to(ROOT / SDK)
        and any(is_within(name, ("httpx",)) for name in imports_of(path, ROOT))
    ]
    assert importing == ["_http.py"]


def plant(root: Path, file: str, text: str) -> None:
    path = root / file
    path.parent.mkdir(parents=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (f"{SERVER}/engine/run.py", "from arcrun_server.outbound import HttpClient"),
        (f"{SERVER}/engine/run.py", "from ..components import Registry"),
        (f"{SERVER}/engine/run.py", "def f():\n    import arcrun_server.store"),
        (f"{SERVER}/engine/run.py", "if TYPE_CHECKING:\n    from httpx import Client"),
        (f"{SERVER}/runs/service.py", "from arcrun_server.routes import context"),
        (
            f"{SERVER}/engine/run.py",
            'import importlib\nimportlib.import_module("arcrun_server.store")',
        ),
        (f"{SERVER}/recipes/auth/record.py", "import sqlalchemy"),
        (f"{SDK}/_core/retry.py", "from .._async import client"),
        (f"{SDK}/_core/retry.py", "from pathlib import Path"),
        (f"{SDK}/_core/retry.py", "import mmap"),
        (f"{SDK}/_core/retry.py", "import os"),
        (f"{SDK}/_core/retry.py", "import grpc"),
        (f"{SDK}/_sync/client.py", "from arcrun._async.client import AsyncArcrun"),
        (f"{HARNESS}/report/html.py", "import arcrun_server"),
        ("conformance/adapters/python_sync.py", "import arcrun_conformance"),
        ("scripts/bench/server.py", "from arcrun import Arcrun"),
        ("scripts/processes.py", "from scripts.release import steps"),
    ],
)
def test_a_planted_import_in_the_wrong_direction_is_found(
    file: str, text: str, tmp_path: Path
) -> None:
    plant(tmp_path, file, text)
    (tmp_path / "scripts/release").mkdir(parents=True, exist_ok=True)
    (found,) = violations(tmp_path)
    assert found.startswith(f"{file} imports ")


def test_a_planted_call_in_a_pure_module_is_found(tmp_path: Path) -> None:
    plant(tmp_path, f"{SERVER}/engine/run.py", "def read(path):\n    return open(path)")
    assert violations(tmp_path) == [
        f"{SERVER}/engine/run.py calls open, and does no input or output"
    ]


def test_a_folder_without_a_rule_is_found(tmp_path: Path) -> None:
    plant(tmp_path, f"{SERVER}/helpers/text.py", "")
    (found,) = violations(tmp_path)
    assert found == f"{SERVER}/helpers has no rule: add it to RULES and docs/architecture.md"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import arcrun_server.app", "arcrun_server.app"),
        ("def f():\n    from arcrun import Arcrun", "arcrun.Arcrun"),
        ("from .other import x", "arcrun._core.other.x"),
        ("from .. import _async", "arcrun._async"),
    ],
)
def test_every_kind_of_import_is_seen(text: str, expected: str, tmp_path: Path) -> None:
    file = f"{SDK}/_core/some.py"
    plant(tmp_path, file, text)
    assert imports_of(tmp_path / file, tmp_path) == {expected}
