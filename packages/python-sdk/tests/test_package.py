"""The package as a whole: what importing it costs, and what it exports."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import typing
from pathlib import Path
from unittest.mock import create_autospec

import pytest

import arcrun

SOURCE = Path(arcrun.__file__).parent
LAZY = ["cryptography", "yaml", "importlib.metadata", "asyncio", "anyio", "keyring", "difflib"]


def loaded(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a statement."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(found.stdout.split())


@pytest.fixture(scope="module")
def beyond_httpx() -> set[str]:
    return loaded("from arcrun import Arcrun, AsyncArcrun") - loaded("import httpx")


def test_importing_loads_nothing_heavy(beyond_httpx) -> None:
    assert not beyond_httpx & set(LAZY)
    others = {name.partition(".")[0] for name in beyond_httpx}
    assert others <= {"arcrun", "contextvars", "_contextvars"}


def test_the_table_of_recipes_is_loaded_when_it_is_used() -> None:
    assert "arcrun._core.known_recipes" not in loaded("from arcrun import Arcrun; Arcrun()")


def test_what_signs_in_to_services_is_loaded_when_it_is_used() -> None:
    found = loaded("from arcrun import Arcrun; client = Arcrun(); client.auth; client.workflows")
    for name in ("_sync.services", "_sync.injecting", "_core.recipe", "_core.sealing"):
        assert f"arcrun.{name}" not in found


def test_each_client_class_is_loaded_when_it_is_used() -> None:
    assert "httpx" not in loaded("import arcrun")
    assert "arcrun._async.client" not in loaded("from arcrun import Arcrun")
    assert "arcrun._sync.client" not in loaded("from arcrun import AsyncArcrun")


def test_help_of_the_command_line_loads_no_http_client() -> None:
    pytest.importorskip("click")
    for typed in ("--help", "--version", "recipe --help", "pussh"):
        said = (
            "contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())"
        )
        found = loaded(
            f"import contextlib, io\nfrom arcrun.cli.app import run\nwith {said}: run({typed.split()!r})"
        )
        assert "click" in found
        assert not found & {"httpx", "yaml", "cryptography", "asyncio"}


def test_one_module_imports_httpx() -> None:
    importing = [
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any(a.name.startswith("httpx") for a in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("httpx"))
    ]
    assert importing == ["_http.py"]


def imports() -> dict[str, set[str]]:
    """The modules that each module imports, also in functions and for type checking only."""
    names = {
        path: ".".join(("arcrun", *path.relative_to(SOURCE).with_suffix("").parts))
        for path in SOURCE.rglob("*.py")
    }
    modules = {path: name.removesuffix(".__init__") for path, name in names.items()}
    graph: dict[str, set[str]] = {}
    for path, name in modules.items():
        package = names[path].rpartition(".")[0]
        found: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                start = package.rsplit(".", node.level - 1)[0] if node.level else ""
                base = ".".join(filter(None, (start, node.module)))
                found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
        graph[name] = found & set(modules.values())
    return graph


def test_imports_have_no_circle() -> None:
    remaining = imports()
    assert "arcrun._core.errors" in remaining["arcrun"]
    assert "arcrun._async.client" in remaining["arcrun"]
    # `from . import errors` names its package too, which imports nothing itself.
    while free := {name for name, found in remaining.items() if not found & set(remaining)}:
        remaining = {name: found for name, found in remaining.items() if name not in free}
    assert remaining == {}


def test_every_public_name_exists() -> None:
    assert set(arcrun.__all__) <= set(dir(arcrun))
    for name in arcrun.__all__:
        assert getattr(arcrun, name) is not None
    assert arcrun.__version__ == "0.1.0"
    with pytest.raises(AttributeError, match="no attribute 'Client'"):
        arcrun.Client  # noqa: B018


def test_every_error_is_an_arcrun_error_and_public() -> None:
    from arcrun._core import errors

    classes = [
        c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, Exception)
    ]
    assert len(classes) == 25
    for found in classes:
        assert getattr(arcrun, found.__name__) is found
        assert issubclass(found, (arcrun.ArcrunError, arcrun.ArcrunWarning))
    assert issubclass(arcrun.InvalidArgumentError, ValueError)
    assert issubclass(arcrun.APITimeoutError, arcrun.APIConnectionError)
    assert issubclass(arcrun.SealedCredentialsUnsupportedError, arcrun.BadRequestError)
    assert issubclass(arcrun.UnknownServiceError, arcrun.NotFoundError)


def public_signatures(client: type) -> dict[str, str]:
    found = {}
    hints = typing.get_type_hints(client)
    for owner in [client, *hints.values()]:
        for name, method in inspect.getmembers(owner, inspect.isfunction):
            if not name.startswith("_") or name == "__init__":
                parameters = inspect.signature(method).parameters.values()
                shown = [f"{p.kind.name} {p.name} {p.default}" for p in parameters]
                found[f"{owner.__name__.removeprefix('Async')}.{name}"] = str(shown)
    return found


def test_both_clients_have_the_same_methods_and_parameters() -> None:
    sync, asynchronous = public_signatures(arcrun.Arcrun), public_signatures(arcrun.AsyncArcrun)
    assert sync == asynchronous
    assert len(sync) >= 20


def test_types_can_be_inspected_at_run_time() -> None:
    for client in (arcrun.Arcrun, arcrun.AsyncArcrun):
        for owner in [client, *typing.get_type_hints(client).values()]:
            for _, method in inspect.getmembers(owner, inspect.isfunction):
                if method.__module__.startswith("arcrun"):
                    typing.get_type_hints(method)


def test_the_package_is_marked_as_typed() -> None:
    assert (SOURCE / "py.typed").exists()


def test_a_client_can_be_mocked_with_its_resources(kind) -> None:
    made = create_autospec(kind.client_class)
    client = made("ak_1")
    client.workflows.run.return_value = {"data": 1}
    kind.run(client.auth.bind("notion", account="work"))
    with pytest.raises(TypeError):
        kind.run(client.auth.bind())
    with pytest.raises(AttributeError):
        client.workflows.no_such_method("greet")
