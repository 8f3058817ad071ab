"""Write the tables of the catalog into README.md: every component and every service.

python -m scripts.website.readme            write them
python -m scripts.website.readme --check    fail if one is not what would be written

They are read from the sources, so that no engine has to be installed or started.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from scripts import ROOT
from scripts.known_recipes import CATALOG
from scripts.website.languages import both_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

README = ROOT / "README.md"
COMPONENTS = ROOT / "packages/server/src/arcrun_server/components"
# What a component is for, in a sentence, as the site says it.
SUMMARIES = ROOT / "packages/website/src/messages/en/summaries.ts"

_SUMMARY = re.compile(r'^ +(\w+): "([^"]+)",$', re.MULTILINE)
_SIGN_INS = {"static_key": "key", "service_account": "service account", "oauth2": "OAuth 2.0"}


class Component(NamedTuple):
    """What the table says of a component."""

    id: str
    display_name: str
    category: str


def components(folder: Path) -> list[Component]:
    """Return the components whose contracts are in a folder, sorted by id."""
    trees = [ast.parse(path.read_text("utf-8")) for path in folder.glob("*.py")]
    return sorted(
        _component(contract) for tree in trees if (contract := _contract(tree)) is not None
    )


def _contract(module: ast.Module) -> ast.expr | None:
    for statement in module.body:
        if isinstance(statement, ast.Assign):
            targets: list[ast.expr] = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        else:
            continue
        if any(isinstance(each, ast.Name) and each.id == "CONTRACT" for each in targets):
            return statement.value
    return None


def _component(contract: ast.expr) -> Component:
    """Read a contract: it is a dict, or what one of two functions makes of its first arguments."""
    match contract:
        case ast.Dict(keys=keys, values=values):
            written = {
                key.value: value
                for key, value in zip(keys, values, strict=True)
                if isinstance(key, ast.Constant)
            }
            fields = ("canonical_id", "display_name", "category")
            return Component(*(_text(written[field]) for field in fields))
        case ast.Call(func=ast.Name(id="auth_contract"), args=[primitive, name, *_]):
            return Component(f"auth_{_text(primitive)}", _text(name), "auth")
        case ast.Call(func=ast.Name(id="operations_contract"), args=[name, *_], keywords=given):
            (shown,) = (each.value for each in given if each.arg == "display_name")
            return Component(_text(name), _text(shown), "logic")
        case _:
            raise ValueError(
                f"scripts/website/readme.py does not know this form of a contract: {ast.unparse(contract)[:80]}"
            )


def _text(value: ast.expr) -> str:
    return str(ast.literal_eval(value))


def summaries(source: str) -> dict[str, str]:
    r"""Return what each component is for, from the site's texts.

    Example:
        >>> summaries('  summaries: {\n    wait: "Waits for some seconds.",\n  },\n')
        {'wait': 'Waits for some seconds.'}
    """
    return {match[1]: match[2] for match in _SUMMARY.finditer(source)}


def component_table(found: Iterable[Component], purposes: dict[str, str]) -> str:
    """Return the table of the components.

    Raises:
        ValueError: The site has no text for a component.
    """
    rows = []
    for component in found:
        if component.id not in purposes:
            raise ValueError(f"{SUMMARIES.relative_to(ROOT)} lacks {component.id}: write it there")
        name = both_names(component.display_name)
        place = f"[`{component.id}`](docs/components.md#{component.id})"
        purpose = purposes[component.id]
        rows.append((place, name["en"], name["zh"], component.category, purpose))
    return _folded(
        f"All {len(rows)} components", ("id", "name", "名稱", "category", "purpose"), rows
    )


def service_table(recipes: Iterable[dict[str, Any]]) -> str:
    """Return the table of the services, with a link to where one gets each secret."""
    rows = [
        (
            f"`{recipe['service']}`",
            recipe["display_name"] + (" (ended)" if recipe.get("deprecated") else ""),
            recipe["category"],
            _SIGN_INS[recipe["primitive"]],
            ", ".join(
                f"[`{secret['key']}`]({secret['help_url']})"
                for secret in recipe["required_secrets"]
            ),
        )
        for recipe in sorted(recipes, key=lambda recipe: str(recipe["service"]))
    ]
    headings = ("id", "name", "category", "sign-in", "secrets, and where to get them")
    return _folded(f"All {len(rows)} services", headings, rows)


def _folded(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (headings, *rows)]
    lines.insert(1, "|---" * len(headings) + "|")
    table = "\n".join(lines)
    return f"<details><summary>{title}</summary>\n\n{table}\n\n</details>\n"


def with_tables(text: str, tables: dict[str, str]) -> str:
    """Return the page with each table between its two marks.

    Raises:
        ValueError: The page has no place for one.
    """
    for name, table in tables.items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->\n")
        if not (begin and end):
            raise ValueError(f"README.md has no place for the table: <!-- {name} -->")
        text = before + begin + table + end + after
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables, or with `--check` say whether they differ; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    options = parser.parse_args(arguments)
    text = README.read_text("utf-8")
    recipes = [yaml.safe_load(path.read_text("utf-8")) for path in CATALOG.glob("*.yaml")]
    try:
        purposes = summaries(SUMMARIES.read_text("utf-8"))
        tables = {
            "components": component_table(components(COMPONENTS), purposes),
            "services": service_table(recipes),
        }
        written = with_tables(text, tables)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if options.check and written != text:
        print(
            "README.md differs from the catalog: run python -m scripts.website.readme",
            file=sys.stderr,
        )
        return 1
    if not options.check:
        README.write_text(written, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
