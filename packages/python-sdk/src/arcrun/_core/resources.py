"""The resources of a client class, which tools that look at the class can see."""

from __future__ import annotations

from typing import Generic, TypeVar, cast

T = TypeVar("T")


class _Resource(Generic[T]):
    """Stands on a class for what each instance has of its own, so that `create_autospec` finds it."""

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind

    def __get__(self, instance: object, owner: type) -> T:
        return object.__new__(self._kind)


def resource(kind: type[T]) -> T:
    """Return the class attribute for a resource; each instance sets its own over it."""
    return cast("T", _Resource(kind))
