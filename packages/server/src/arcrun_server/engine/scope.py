"""What the templates and conditions of a node can see (docs/contract.md#placeholders)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .clock import TIME_NAMES, time_variables
from .flow import node_id
from .placeholders import as_written, fill_parts, parse_escaped
from .sizes import ByteBudget
from .templates import MISSING, find

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from .frames import Activation, Frame
    from .model import JsonObject
    from .placeholders import Placeholder
    from .sizes import KnownSizes

_MAX_WARNINGS = 20
_MAX_WARNING_LENGTH = 200
# Ids have at most 256 characters; the name that an id is made of may have more white space.
_MAX_NAME_LENGTH = 512


class TimeVariables:
    """The time variables of a run, computed when the first one is asked for."""

    __slots__ = ("_values", "started")

    def __init__(self, started: datetime) -> None:
        self.started = started
        self._values: JsonObject | None = None

    def values(self) -> JsonObject:
        """Return all of them."""
        if self._values is None:
            self._values = time_variables(self.started)
        return self._values


class Scope:
    """What a node's templates and conditions can see.

    Args:
        frame: Where the node runs.
        activation: The context that came to it.
        time: The time variables of the run.
        max_bytes: How many bytes templates may put into the node's data.
        sizes: The sizes of values that are known.

    Attributes:
        unresolved: The placeholders whose values are missing, for the warnings of the trace.
    """

    __slots__ = (
        "_activation",
        "_frame",
        "_max_bytes",
        "_prev",
        "_secrets",
        "_sizes",
        "_time",
        "unresolved",
    )

    def __init__(
        self,
        frame: Frame,
        activation: Activation,
        time: TimeVariables,
        max_bytes: int,
        sizes: KnownSizes,
    ) -> None:
        self._frame = frame
        self._activation = activation
        self._time = time
        self._max_bytes = max_bytes
        self._sizes = sizes
        self._secrets: dict[str, str] | None = None
        self._prev: Any = MISSING
        self.unresolved: list[str] = []

    def with_secrets(self, secrets: dict[str, str]) -> Scope:
        """Return a scope in which the placeholders of credentials have values."""
        scope = Scope(self._frame, self._activation, self._time, self._max_bytes, self._sizes)
        scope._secrets = secrets
        return scope

    def budget(self, most: int | None = None) -> ByteBudget:
        """Return a new budget for what templates put into the node's data: what a run allows, or less."""
        allowed = self._max_bytes if most is None else min(most, self._max_bytes)
        return ByteBudget(allowed, "what its templates put in", self._sizes.rough)

    def look_up(self, placeholder: Placeholder) -> Any:
        """Return the value of a placeholder, or MISSING, which is also recorded in `unresolved`."""
        if placeholder.credential is not None:
            return MISSING if self._secrets is None else self._secrets[placeholder.credential]
        value = self.find(placeholder.path)
        if value is MISSING and len(self.unresolved) < _MAX_WARNINGS:
            self.unresolved.append(placeholder.source[:_MAX_WARNING_LENGTH])
        return value

    def fill_text(self, text: str, write: Callable[[Any], str]) -> str:
        """Fill the placeholders of a text.

        Args:
            text: The text, as it was pushed.
            write: Writes a value, as the place where the text goes needs it.
        """

        def look_up(placeholder: Placeholder) -> str | None:
            value = self.look_up(placeholder)
            return None if value is MISSING else write(value)

        return fill_parts(parse_escaped(text), look_up, as_written)

    def find_text(self, path: str) -> tuple[bool, Any]:
        """Find a dotted path for conditions and components; return whether it was found, and its value."""
        value = self.find(tuple(path.split(".")))
        return (False, None) if value is MISSING else (True, value)

    def find(self, path: tuple[str, ...]) -> Any:
        """Find a path: the roots first, then results by node, then fields of the context.

        What begins with the name of a node is of that node's result, or nothing: fields of other results, which
        a model may have chosen, don't stand in for it.
        """
        value = self._from_root(path[0], path[1:])
        if value is not MISSING:
            return value
        value, is_node = self._of_node(path)
        return value if is_node else find(self._activation.values, path)

    def _from_root(self, root: str, rest: tuple[str, ...]) -> Any:
        if root in TIME_NAMES:
            return find(self._time.values()[root], rest)
        if root == "input":
            return find(self._frame.run_input, rest)
        if root == "prev":
            return find(self._previous(), rest)
        if root == "loop" and self._frame.loop is not None:
            return find(self._frame.loop, rest)
        if root == "ctx":
            return self._from_context(rest)
        return MISSING

    def _previous(self) -> Any:
        if self._prev is MISSING:  # it may be merged of several results: once for all placeholders
            self._prev = self._frame.previous(self._activation)
        return self._prev

    def _from_context(self, path: tuple[str, ...]) -> Any:
        if not path:
            return self._activation.context()
        if path[0] == "loop" and self._frame.loop is not None:
            found = find(self._frame.loop, path[1:])  # as recipes write it: `ctx.loop.item`
            if found is not MISSING:
                return found
        return find(self._activation.context_of(path[0]), path)

    def _of_node(self, path: tuple[str, ...]) -> tuple[Any, bool]:
        """Find a path in the result of the node that it begins with; return the value, and whether it is a node's.

        A node is named by its id, or as in its flow, where the name may hold dots, capitals and spaces.
        """
        results, is_node = self._activation.results, False
        for length in range(1, len(path) + 1) if results else ():
            name = ".".join(path[:length])
            if len(name) > _MAX_NAME_LENGTH:
                break
            identity = name if name in results else node_id(name)
            if identity in results:
                value = find(results[identity], path[length:])
                if value is not MISSING:
                    return value, True
                is_node = True
        return MISSING, is_node


def key_look_up(result: Any, scope: Scope) -> Callable[[str], tuple[bool, Any]]:
    """Return the look-up of a condition's keys: the result first, then whatever templates see."""

    def look_up(path: str) -> tuple[bool, Any]:
        value = find(result, tuple(path.split(".")))
        return scope.find_text(path) if value is MISSING else (True, value)

    return look_up
