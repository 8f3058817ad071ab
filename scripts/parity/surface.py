"""Describe what an SDK offers by facts that can be compared: a subject and a value each.

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
        position: From 0; None if it is given by name only.
    """

    name: str
    required: bool
    position: int | None = None


@dataclass(frozen=True)
class Method:
    """A method: its parameters, and the name of the type that it returns."""

    parameters: tuple[Parameter, ...] = ()
    returns: str = ""


@dataclass(frozen=True)
class ErrorClass:
    """An error class: its parent class, and the attributes that it adds."""

    parent: str
    attributes: tuple[str, ...] = ()


@dataclass
class Surface:
    """Everything that users of an SDK can see.

    Attributes:
        methods: By dotted name, such as `creds.push`.
        options: The parameters of the client's constructor.
        errors: The error classes.
        results: The result types: whether each field is required.
        defaults: Numbers and URLs that the SDK uses, by the name of the constant.
        origins: The origins to which the secrets of each service may be sent.
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
        """Return the surface as facts."""
        found: Facts = {}
        for name, method in self.methods.items():
            found[f"method {name}"] = "there"
            found[f"result of {name}"] = method.returns
            for each in method.parameters:
                found[f"parameter {name}.{each.name}"] = _need(each.required)
                position = (
                    "by name only" if each.position is None else f"number {each.position + 1}"
                )
                found[f"position of {name}.{each.name}"] = position
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

    If one side lacks a method or an error as a whole, the facts about its parts are left out.

    Example:
        >>> compare("Python", {"option timeout": "optional"}, "TypeScript", {})
        ['option timeout: optional in Python, missing in TypeScript']
    """
    return [
        f"{subject}: {one.get(subject, MISSING)} in {first}, {other.get(subject, MISSING)} in {second}"
        for subject in sorted(one.keys() | other.keys())
        if one.get(subject) != other.get(subject)
        and not _is_part_of_missing(subject, one)
        and not _is_part_of_missing(subject, other)
    ]


def compare_to_contract(contract: Facts, name: str, sdk: Facts) -> list[str]:
    """List how an SDK differs from the contract.

    The contract says nothing about constructors, errors or time-outs, so only the methods, and the
    facts that it states, are compared.
    """
    stated = {key: sdk[key] for key in sdk if key in contract or key.startswith("method ")}
    return compare("the contract", contract, name, stated)


def _is_part_of_missing(subject: str, facts: Mapping[str, str]) -> bool:
    """Return whether a fact is about a part of something that is missing as a whole."""
    kind, _, name = subject.rpartition(" ")
    if kind in {"parameter", "position of"}:
        owner, _, parameter = name.rpartition(".")
        missing = f"method {owner}" not in facts
        if kind == "position of":
            missing = missing or f"parameter {owner}.{parameter}" not in facts
        return missing
    if kind == "result of":
        return f"method {name}" not in facts
    if kind == "attribute":
        return f"error {name.rpartition('.')[0]}" not in facts
    if kind == "field":
        owner = name.rpartition(".")[0]
        return not any(key.startswith(f"field {owner}.") for key in facts)
    return False
