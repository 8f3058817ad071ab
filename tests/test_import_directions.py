"""Who may import whom: the house's one-way streets, enforced."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {"arcrun", "arcrun_server", "arcrun_conformance", "scripts"}

# Folder -> what of ours it may import besides itself.
MAY_IMPORT = {
    "packages/python-sdk/src": {"arcrun"},
    "packages/server/src": {"arcrun_server"},
    "conformance/src": {"arcrun_conformance"},
    "conformance/adapters": {"arcrun"},
    "scripts": {"scripts"},
}

# Inside a package: folder -> the modules it must not reach, because it is pure.
PURE = {
    "packages/python-sdk/src/arcrun/_core": {"httpx", "arcrun._async", "arcrun._sync"},
    "packages/server/src/arcrun_server/engine": {
        "fastapi",
        "httpx",
        "sqlalchemy",
        "starlette",
        "arcrun_server.routes",
        "arcrun_server.store",
        "arcrun_server.accounts",
        "arcrun_server.app",
    },
    "packages/server/src/arcrun_server/recipes": {"fastapi", "httpx", "sqlalchemy", "starlette"},
}


def module_name(path: Path) -> str:
    """The dotted name of a file below some `src`; its bare name elsewhere."""
    parts = path.with_suffix("").parts
    return ".".join(parts[parts.index("src") + 1 :]) if "src" in parts else parts[-1]


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, at any depth of it, with relative ones resolved."""
    package = module_name(path.relative_to(ROOT)).split(".")
    package = package if path.name == "__init__.py" else package[:-1]
    package = [part for part in package if part != "__init__"]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def files(folder: str) -> list[Path]:
    found = [path for path in (ROOT / folder).rglob("*.py") if "tests" not in path.parts]
    return [path for path in found if "node_modules" not in path.parts]


def reaches(imported: str, forbidden: str) -> bool:
    return imported == forbidden or imported.startswith(f"{forbidden}.")


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_part_imports_only_what_lies_in_its_direction(folder: str) -> None:
    sources = files(folder)
    assert sources, f"nothing to check below {folder}"
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources
        for name in imports_of(path)
        for other in OURS - MAY_IMPORT[folder]
        if reaches(name, other)
    }
    assert not wrong


@pytest.mark.parametrize("folder", [each for each in PURE if (ROOT / each).is_dir()])
def test_a_pure_part_does_no_input_or_output(folder: str) -> None:
    sources = files(folder)
    assert sources, f"nothing to check below {folder}"
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources
        for name in imports_of(path)
        for forbidden in PURE[folder]
        if reaches(name, forbidden)
    }
    assert not wrong


def test_httpx_is_imported_by_one_module_of_the_sdk() -> None:
    importing = {
        path.relative_to(ROOT).as_posix()
        for path in files("packages/python-sdk/src")
        if any(reaches(name, "httpx") for name in imports_of(path))
    }
    assert len(importing) == 1, importing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import arcrun_server.app", "arcrun_server.app"),
        ("def f():\n    from arcrun import Arcrun", "arcrun.Arcrun"),
        ("from .other import x", "arcrun._core.other"),
        ("from .. import _async", "arcrun._async"),
    ],
)
def test_the_check_sees_every_kind_of_import(
    text: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    path = tmp_path / "src/arcrun/_core/some.py"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert expected in imports_of(path)
