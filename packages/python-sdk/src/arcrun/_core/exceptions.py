"""Exceptions of libraries and of the user's own transports, without what they hold of a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

_LIBRARIES = frozenset({"httpx", "httpcore"})


def stripped(error: BaseException) -> BaseException:
    """Return an exception without its frames, causes and requests: they hold secrets."""
    return scrubbed(error, str)


def scrubbed(error: BaseException, clean: Callable[[str], str]) -> BaseException:
    """Return an exception without its frames, causes and requests, and with clean texts.

    So are the members of a group. An exception that keeps a text where nobody can change it is
    replaced by another one.

    Args:
        error: what was raised.
        clean: takes the secrets out of a text.
    """
    found = _scrubbed_group(error, clean)
    found.__cause__ = found.__context__ = None
    found.with_traceback(None)
    args = tuple(_scrubbed_value(value, clean) for value in found.args)
    if args != found.args:
        found.args = args
    for name, value in list(vars(found).items()):
        setattr(found, name, _scrubbed_value(value, clean))
    text = f"{found}\n{found!r}"
    if isinstance(found, Exception) and clean(text) != text:
        return RuntimeError(f"{type(found).__name__}: {clean(str(found))}")
    return found


def _scrubbed_group(error: BaseException, clean: Callable[[str], str]) -> BaseException:
    """Return a group with other members and another message; anything else as it is."""
    members: Any = getattr(error, "exceptions", None)
    given: Any = getattr(error, "message", None)
    if not isinstance(members, tuple) or not isinstance(given, str):
        return error
    own = cast("tuple[BaseException, ...]", members)
    found = [scrubbed(member, clean) for member in own]
    message, kind = clean(given), cast("Any", type(error))
    if message == given and all(a is b for a, b in zip(found, own, strict=True)):
        return error
    try:
        return cast("BaseException", kind(message, found))
    except Exception:  # noqa: BLE001 - a class of the user's own, made in another way
        return RuntimeError(f"{type(error).__name__}: {message}")


def _scrubbed_value(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        items = cast("Any", value)
        if not all(isinstance(item, str) for item in items):
            return items
        return [clean(item) for item in items]  # notes
    library = type(value).__module__.partition(".")[0]
    return None if library in _LIBRARIES and hasattr(value, "headers") else value
