"""Read what the TypeScript SDK offers: `typescript.mjs` reads the types, this module translates the names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts import processes
from scripts.parity.python import default
from scripts.parity.surface import ErrorClass, Method, Parameter, Surface

if TYPE_CHECKING:
    from collections.abc import Iterable

READER = Path(__file__).with_name("typescript.mjs")

# Types of TypeScript, and their names in Python.
_TYPES = {"string": "str", "void": "None"}


def read_typescript(package: Path, *, node: str, log: Path) -> Surface:
    """Read the TypeScript SDK.

    Args:
        package: The folder of the npm package, with `node_modules` installed.
        node: The Node.js to run the compiler with.
        log: Receives what the compiler prints.

    Raises:
        processes.CommandFailed: The sources can't be read.
    """
    return surface_of(json.loads(processes.run([node, str(READER), str(package)], log=log)))


def surface_of(read: dict[str, Any]) -> Surface:
    """Translate what `typescript.mjs` prints into a surface with the names of the contract."""
    return Surface(
        methods={
            snake_case(name): Method(_parameters(each["parameters"]), _type(each["returns"]))
            for name, each in read["methods"].items()
        },
        options=_parameters(read["options"]),
        errors={
            name: ErrorClass(each["parent"], tuple(map(snake_case, each["attributes"])))
            for name, each in read["errors"].items()
        },
        results={
            name: {snake_case(each["name"]): each["required"] for each in fields}
            for name, fields in read["types"].items()
            if not name.endswith("Options")  # these are the parameters of methods already
        },
        defaults=dict(
            found
            for each in read["constants"]
            for found in default(each["name"], each["value"], public=each["public"])
        ),
        origins={service: tuple(each) for service, each in read["origins"].items()},
        exports=frozenset(read["exports"]),
    )


def snake_case(name: str) -> str:
    """Return a name in snake_case.

    Example:
        >>> snake_case("auth.getToken"), snake_case("created_at")
        ('auth.get_token', 'created_at')
    """
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", name)


def _parameters(read: Iterable[dict[str, Any]]) -> tuple[Parameter, ...]:
    return tuple(Parameter(snake_case(e["name"]), e["required"], e["position"]) for e in read)


def _type(name: str) -> str:
    element = name.removesuffix("[]")
    named = re.sub(r"<(\w+)>", r"[\1]", _TYPES.get(element, element))
    return f"list[{named}]" if name.endswith("[]") else named
