"""What an SDK offers, as facts that can be laid side by side: one subject, one word a fact.

A fact is `parameter creds.push.value` → `required` or `error NotFoundError` → `is a APIStatusError`. Names are
those of the contract, in snake_case, whatever the language.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MISSING = "missing"

Facts = dict[str, str]


@dataclass(frozen=True)
class Parameter:
    """A parameter of a method, or an option of the constructor.

    Attributes:
        place: Its position, from 0; None for what is given by name only.
    """

    name: str
    required: bool
    place: int | None = None


@dataclass(frozen=True)
class Method:
    """A method: what it takes and the name of what it returns."""

    parameters: tuple[Parameter, ...] = ()
    returns: str = ""


@dataclass(frozen=True)
class ErrorClass:
    """An error class: its parent, and the attributes that it adds."""

    parent: str
    attributes: tuple[str, ...] = ()


@dataclass
class Surface:
    """Everything that users of an SDK can see.

    Attributes:
        methods: By dotted name, such as `creds.push`.
        options: What the client's constructor takes.
        errors: The error classes.
        results: The result types: from field to whether it is required.
        defaults: Numbers and addresses that the SDK works with, by the constant's name.
        origins: Where each service's secrets may go.
        exports: The public names.
    """

    methods: dict[str, Method] = field(default_factory=dict)
    options: tuple[Parameter, ...] = ()
    errors: dict[str, ErrorClass] = field(default_factory=dict)
    results: dict[str, dict[str, bool]] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    origins: dict[str, tuple[str, ...]] = field(default_factory=dict)
    exports: frozenset[str] = frozenset()

    def facts(self) -> Facts:
        """Return it as facts."""
        found: Facts = {}
        for name, method in self.methods.items():
            found[f"method {name}"] = "there"
            found[f"result of {name}"] = method.returns
            for each in method.parameters:
                found[f"parameter {name}.{each.name}"] = _need(each.required)
                place = "by name only" if each.place is None else f"number {each.place + 1}"
                found[f"place of {name}.{each.name}"] = place
        found |= {f"option {each.name}": _need(each.required) for each in self.options}
        for name, error in self.errors.items():
            found[f"error {name}"] = f"is a {error.parent}"
            found |= {f"attribute {name}.{each}": "there" for each in error.attributes}
        for name, fields in self.results.items():
            found |= {f"field {name}.{key}": _need(needed) for key, needed in fields.items()}
        found |= {f"default {name}": value for name, value in self.defaults.items()}
        found |= {f"origins of {name}": " ".join(each) for name, each in self.origins.items()}
        return found | {f"name {name}": "public" for name in self.exports}


def _need(required: bool) -> str:
    return "required" if required else "optional"


def compare(first: str, one: Mapping[str, str], second: str, other: Mapping[str, str]) -> list[str]:
    """List the differences between two sets of facts, a line each.

    Where one side lacks a method or an error, what belongs to it is not told as well.

    Example:
        >>> compare("Python", {"option timeout": "optional"}, "TypeScript", {})
        ['option timeout: optional in Python, missing in TypeScript']
    """
    return [
        f"{subject}: {one.get(subject, MISSING)} in {first}, {other.get(subject, MISSING)} in {second}"
        for subject in sorted(one.keys() | other.keys())
        if one.get(subject) != other.get(subject)
        and not _follows(subject, one)
        and not _follows(subject, other)
    ]


def compare_to_contract(contract: Facts, name: str, sdk: Facts) -> list[str]:
    """List where an SDK is not what the contract says.

    The contract says nothing about constructors, errors or time-outs, so only the methods, and what it
    does speak of, are compared.
    """
    spoken_of = {key: sdk[key] for key in sdk if key in contract or key.startswith("method ")}
    return compare("the contract", contract, name, spoken_of)


def _follows(subject: str, facts: Mapping[str, str]) -> bool:
    """Tell whether a fact is about something that is missing as a whole."""
    kind, _, name = subject.rpartition(" ")
    if kind in {"parameter", "place of"}:
        owner, _, parameter = name.rpartition(".")
        gone = f"method {owner}" not in facts
        return gone or (kind == "place of" and f"parameter {owner}.{parameter}" not in facts)
    if kind == "result of":
        return f"method {name}" not in facts
    if kind == "attribute":
        return f"error {name.rpartition('.')[0]}" not in facts
    if kind == "field":
        owner = name.rpartition(".")[0]
        return not any(key.startswith(f"field {owner}.") for key in facts)
    return False
