"""Reading the fields of a document one by one, and collecting what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arcrun_server.engine.model import MAX_PROBLEMS
from arcrun_server.engine.nearest import Suggestions

from .transforms import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from arcrun_server.engine import JsonObject, Problem

    from .document import Document, Path

_ABSENT: Any = object()


class Problems:
    """Collects what is wrong with a document.

    Attributes:
        errors: What keeps the recipe from being used.
        warnings: What does not.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        self._suggestions = Suggestions()

    def error(
        self, message: str, path: Path, *, known: Iterable[str] = (), name: str = "", **place: Any
    ) -> None:
        """Record an error.

        Args:
            message: What is wrong, and what to do about it.
            path: Of which value.
            known: The names of which one may be meant.
            name: The name that was written.
            place: More on where, as `Document.problem` takes it.
        """
        if len(self.errors) < MAX_PROBLEMS:
            place.setdefault("suggestion", self._suggestions.nearest(name, known) if name else None)
            self.errors.append(self.document.problem(message, path, **place))

    def warn(self, message: str, path: Path, **place: Any) -> None:
        """Record a warning."""
        if len(self.warnings) < MAX_PROBLEMS:
            self.warnings.append(self.document.problem(message, path, **place))


class Fields:
    """The fields of one object of a document.

    Args:
        problems: Where problems go.
        value: The object.
        path: Where it is.
        names: The names of the fields that it may have.
    """

    def __init__(
        self, problems: Problems, value: JsonObject, path: Path, names: tuple[str, ...]
    ) -> None:
        self._problems = problems
        self.value = value
        self.path = path
        for name in value:
            if name not in names:
                problems.error(
                    f"there is no field '{name[:60]}' here; the fields are: {', '.join(names)}",
                    (*path, name),
                    known=names,
                    name=name,
                    at_key=True,
                )

    def at(self, name: str) -> Path:
        """Return the path of a field."""
        return (*self.path, name)

    def error(self, message: str, field: str | None = None, **more: Any) -> None:
        """Record an error of a field, or of the object."""
        self._problems.error(message, self.at(field) if field else self.path, **more)

    def has(self, name: str) -> bool:
        """Tell whether a field was given; null is no value."""
        return self.value.get(name) is not None

    def text(
        self, name: str, *, default: Any = None, required: bool = False, most: int = 4096
    ) -> Any:
        """Return a text, or the default if it was left out or is none."""
        value = self._get(name, str, "a text", required=required)
        if value is _ABSENT:
            return default
        if required and not value.strip():
            self.error(f"`{name}` is empty", name)
        elif len(value) > most:
            self.error(f"`{name}` is longer than {most:,} characters", name)
        return value

    def read(self, name: str, read: Callable[[str], Any]) -> Any:
        """Return what is read from a text, or None; a ValueError of `read` is a problem of the field."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return read(value)
        except ValueError as error:
            suggestion = getattr(error, "suggestion", None)
            self.error(str(error), name, suggestion=suggestion)
            return None

    def choice(self, name: str, choices: tuple[str, ...], default: str | None = None) -> str | None:
        """Return one of some texts."""
        value: str | None = self.text(name, default=default, required=default is None)
        if value is not None and value not in choices:
            self.error(
                f"`{name}` can't be '{value[:60]}'; the choices are: {', '.join(choices)}",
                name,
                known=choices,
                name=value,
            )
            return None
        return value

    def flag(self, name: str) -> bool:
        """Return a truth value; false if it was left out."""
        value = self._get(name, bool, "true or false")
        return value is True

    def whole(self, name: str, least: int, most: int) -> int | None:
        """Return a whole number within bounds, or None."""
        value = self._get(name, int, "a whole number")
        if value is _ABSENT:
            return None
        if not least <= value <= most:
            self.error(f"`{name}` must be from {least} to {most:,}", name)
            return None
        return int(value)

    def object(self, name: str, *, required: bool = False) -> JsonObject | None:
        """Return an object, or None."""
        value = self._get(name, dict, "an object", required=required)
        return None if value is _ABSENT else value

    def objects(self, name: str, names: tuple[str, ...], most: int) -> Iterator[Fields]:
        """Yield the objects of a list."""
        value = self._get(name, list, "a list")
        if value is _ABSENT:
            return
        if len(value) > most:
            self.error(f"`{name}` has more than {most} entries", name)
            return
        for number, item in enumerate(value):
            path = (*self.path, name, number)
            if isinstance(item, dict):
                yield Fields(self._problems, item, path, names)
            else:
                self._problems.error(f"this must be an object, but it is {kind_of(item)}", path)

    def texts(self, name: str) -> list[str]:
        """Return a list of texts."""
        value = self._get(name, list, "a list")
        if value is _ABSENT:
            return []
        for number, item in enumerate(value):
            if not isinstance(item, str):
                self._problems.error(
                    f"this must be a text, but it is {kind_of(item)}", (*self.at(name), number)
                )
        return [item for item in value if isinstance(item, str)]

    def _get(self, name: str, kind: type, what: str, *, required: bool = False) -> Any:
        value = self.value.get(name)
        if value is None:
            if required:
                self.error(f"`{name}` is missing")
            return _ABSENT
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.error(f"`{name}` must be {what}, but it is {kind_of(value)}", name)
            return _ABSENT
        return value
