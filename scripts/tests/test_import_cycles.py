from pathlib import Path

import pytest

from scripts.import_cycles import cycles, javascript_imports, main, python_imports

SDK = "packages/python-sdk/src/arcrun"
JS_SDK = "packages/js-sdk/src"
ADAPTERS = "conformance/adapters/javascript"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def cycles_of(root: Path) -> list[str]:
    found = [*cycles(python_imports(root)), *cycles(javascript_imports(root))]
    return [" → ".join(cycle) for cycle in found]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("from arcrun.b import f", "from arcrun.a import g"),
        ("import arcrun.b", "import arcrun.a as a"),
        ("from .b import f", "from . import a"),
        ("from .b import f", "def g():\n    from .a import h"),
        (
            "from .b import f",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .a import G",
        ),
    ],
    ids=["absolute", "module", "relative", "in a function", "for types only"],
)
def test_a_cycle_in_python_is_found(tmp_path: Path, first: str, second: str) -> None:
    write(tmp_path, {f"{SDK}/__init__.py": "", f"{SDK}/a.py": first, f"{SDK}/b.py": second})
    assert cycles_of(tmp_path) == [f"{SDK}/a.py → {SDK}/b.py → {SDK}/a.py"]


def test_a_cycle_through_a_package_is_found(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            f"{SDK}/__init__.py": "from .core.a import f",
            f"{SDK}/core/__init__.py": "",
            f"{SDK}/core/a.py": "from arcrun import VERSION",
        },
    )
    assert cycles_of(tmp_path) == [f"{SDK}/__init__.py → {SDK}/core/a.py → {SDK}/__init__.py"]


def test_a_package_may_import_its_modules_and_they_each_other(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            f"{SDK}/__init__.py": "from .a import f",
            f"{SDK}/a.py": "from . import b\nfrom .core import c",
            f"{SDK}/b.py": "import httpx\nfrom .core.c import g",
            f"{SDK}/core/__init__.py": "from . import c",
            f"{SDK}/core/c.py": "import json",
        },
    )
    assert cycles_of(tmp_path) == []
    assert python_imports(tmp_path)[f"{SDK}/a.py"] == {f"{SDK}/b.py", f"{SDK}/core/c.py"}


def test_a_cycle_between_scripts_and_one_between_adapters_are_found(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "scripts/__init__.py": "",
            "scripts/a.py": "from scripts import b",
            "scripts/b.py": "from scripts.a import f",
            "conformance/adapters/c.py": "import d",
            "conformance/adapters/d.py": "from c import f",
        },
    )
    assert cycles_of(tmp_path) == [
        "conformance/adapters/c.py → conformance/adapters/d.py → conformance/adapters/c.py",
        "scripts/a.py → scripts/b.py → scripts/a.py",
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('import { b } from "./b.js";', 'import { a } from "./a.js";'),
        ("import { b } from './b.js';", 'import type { A } from "./a.js";'),
        ('import {\n  b,\n} from "./b.js";', 'export * from "./a.js";'),
        ('import "./b.js";', 'export type A = import("./a.js").A;'),
        ('const b = await import("./b.js");', 'export { a } from "./a";'),
    ],
    ids=["import", "for types only", "export", "type expression", "dynamic"],
)
def test_a_cycle_in_typescript_is_found(tmp_path: Path, first: str, second: str) -> None:
    write(tmp_path, {f"{JS_SDK}/a.ts": first, f"{JS_SDK}/b.ts": second})
    assert cycles_of(tmp_path) == [f"{JS_SDK}/a.ts → {JS_SDK}/b.ts → {JS_SDK}/a.ts"]


def test_a_cycle_through_an_index_or_an_export_condition_is_found(tmp_path: Path) -> None:
    manifest = '{"imports": {"#crypto": {"node": "./src/node.ts", "default": "./src/web.ts"}}}'
    write(
        tmp_path,
        {
            "packages/js-sdk/package.json": manifest,
            f"{JS_SDK}/http/index.ts": 'import { sealed } from "../seal.js";',
            f"{JS_SDK}/seal.ts": 'import { webcrypto } from "#crypto";',
            f"{JS_SDK}/node.ts": 'import { http } from "./http";',
            f"{JS_SDK}/web.ts": "export const webcrypto = globalThis.crypto;",
        },
    )
    index, seal, node = (f"{JS_SDK}/{name}.ts" for name in ("http/index", "seal", "node"))
    assert cycles_of(tmp_path) == [f"{index} → {seal} → {node} → {index}"]


def test_a_cycle_between_javascript_files_is_found(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            f"{ADAPTERS}/a.mjs": 'import { b } from "./b.cjs";',
            f"{ADAPTERS}/b.cjs": 'const { a } = require("./a.mjs");',
        },
    )
    assert cycles_of(tmp_path) == [f"{ADAPTERS}/a.mjs → {ADAPTERS}/b.cjs → {ADAPTERS}/a.mjs"]


def test_an_import_in_a_comment_is_none(tmp_path: Path) -> None:
    comments = '// import "./a.js";\n/* from "./a.js" */\nconst url = "https://x.example/";\n'
    write(tmp_path, {f"{JS_SDK}/a.ts": 'import "./b.js";', f"{JS_SDK}/b.ts": comments})
    assert cycles_of(tmp_path) == []


def test_every_cycle_is_reported() -> None:
    graph = {"a": ["b", "c"], "b": ["a"], "c": ["d"], "d": ["a"], "e": ["f"], "f": ["e"]}
    found = {" ".join(cycle) for cycle in cycles(graph)}
    assert found == {"a b a", "a c d a", "e f e"}


def test_the_command_prints_each_cycle_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {f"{SDK}/a.py": "import json", f"{JS_SDK}/a.ts": "export const a = 1;"})
    assert main(tmp_path) == 0
    write(tmp_path, {f"{SDK}/a.py": "from arcrun import b", f"{SDK}/b.py": "import arcrun.a"})
    assert main(tmp_path) == 1
    line = f"circular import: {SDK}/a.py → {SDK}/b.py → {SDK}/a.py\n"
    assert capsys.readouterr().err == line
