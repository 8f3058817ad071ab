"""Write what `acr explain` knows of error codes, from docs/contract.md and scripts/error_codes.yaml.

python -m scripts.error_codes            write the Python module, and the tables of docs/cli.md
python -m scripts.error_codes --check    fail if one is not what would be written
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from typing import TYPE_CHECKING, Any

import yaml

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTRACT = ROOT / "docs/contract.md"
OPENAPI = ROOT / "openapi/arcrun.yaml"
TEXTS = ROOT / "scripts/error_codes.yaml"
MODULE = ROOT / "packages/python-sdk/src/arcrun/commands/error_codes.py"
PAGE = ROOT / "docs/cli.md"

_ROW = re.compile(r"^\| `(\w+)` \| (\d{3}) \| (.+) \|$", re.MULTILINE)
_LISTED = re.compile(r"One of (`invalid_json`.+?)\.\n", re.DOTALL)


def explanations(contract: str, openapi: str, texts: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return what is said of each code: status (0 for the codes of the command line), exit code, meaning, cure.

    Meaning and cure stand there in English and then in Chinese.

    Raises:
        ValueError: The contract, its schema and the texts don't have the same codes.
    """
    section = contract.partition("\n### Errors\n")[2].partition("\n### ")[0]
    rows = {code: (int(status), meaning) for code, status, meaning in _ROW.findall(section)}
    listed = _LISTED.search(openapi)
    schema = set(re.findall(r"`(\w+)`", listed[1])) if listed else set()
    _compare("docs/contract.md#errors", set(rows), "openapi/arcrun.yaml", schema)
    engine, local = texts["engine"], texts["local"]
    _compare("docs/contract.md#errors", set(rows), "scripts/error_codes.yaml", set(engine))
    found: dict[str, list[Any]] = {}
    for code, (status, meaning) in rows.items():
        text = engine[code]
        found[code] = [status, meaning, text["zh"], text["cure"], text["cure_zh"]]
    for code, text in local.items():
        found[code] = [0, text["en"], text["zh"], text["cure"], text["cure_zh"]]
    exits = {code: number for number, codes in texts["exit_codes"].items() for code in codes}
    _compare("scripts/error_codes.yaml", set(found) | set(exits), "its texts", set(found))
    for code, entry in found.items():
        entry.insert(1, exits.get(code, 3 if code.endswith("_not_found") else 1))
    return found


def _compare(where: str, codes: set[str], other: str, others: set[str]) -> None:
    for name, missing in ((other, codes - others), (where, others - codes)):
        if missing:
            raise ValueError(f"{name} lacks {', '.join(sorted(missing))}: write it there")


def python_module(found: Mapping[str, list[Any]]) -> str:
    """Return the texts as a Python module."""
    lines = [
        '"""What error codes mean. Generated from docs/contract.md and scripts/error_codes.yaml by scripts/error_codes.py."""',
        "",
        "from typing import NamedTuple",
        "",
        "",
        "class Explanation(NamedTuple):",
        '    """What an error code means, and what to do; `status` is 0 for a code of the command line."""',
        "",
        "    status: int",
        "    exit_code: int",
        "    meaning: str",
        "    meaning_zh: str",
        "    cure: str",
        "    cure_zh: str",
        "",
        "",
        "# fmt: off",
        "EXPLANATIONS: dict[str, Explanation] = {",
    ]
    for code, entry in found.items():
        values = ", ".join(json.dumps(value, ensure_ascii=False) for value in entry)
        lines.append(f"    {json.dumps(code)}: Explanation({values}),")
    return "\n".join([*lines, "}", ""])


def page(text: str, found: Mapping[str, list[Any]]) -> str:
    """Return the page with the table of the command line's own codes."""
    rows = ["| code | exit code | meaning | what to do |", "|---|---|---|---|"]
    rows += [
        f"| `{code}` | {entry[1]} | {entry[2]} | {entry[4]} |"
        for code, entry in found.items()
        if not entry[0]
    ]
    before, begin, rest = text.partition("<!-- error codes -->\n")
    _, end, after = rest.partition("<!-- end of error codes -->\n")
    if not (begin and end):
        raise ValueError("docs/cli.md has no place for the table: <!-- error codes -->")
    return before + begin + "\n".join(rows) + "\n" + end + after


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or with `--check` print which of them differ; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on drift")
    options = parser.parse_args(arguments)
    texts = yaml.safe_load(TEXTS.read_text(encoding="utf-8"))
    try:
        found = explanations(
            CONTRACT.read_text(encoding="utf-8"), OPENAPI.read_text(encoding="utf-8"), texts
        )
        written = {
            MODULE: python_module(found),
            PAGE: page(PAGE.read_text(encoding="utf-8"), found),
        }
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    stale = [
        path
        for path, text in written.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if options.check:
            print(f"{path.relative_to(ROOT)} is out of date:", file=sys.stderr)
            print("  run: python -m scripts.error_codes", file=sys.stderr)
        else:
            path.write_text(written[path], encoding="utf-8")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
