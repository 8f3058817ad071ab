"""What is said of a name that the engine does not know: the close matches, and the command that lists the names."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from arcrun._core.errors import ArcrunError, NotFoundError

from .errors import CommandError, Next, command_error
from .sentences import either, sentence


@contextmanager
def naming(
    name: str, names: Callable[[], Sequence[str]], listing: Next, code: str
) -> Generator[None, None, None]:
    """Raise a 404 as an error that names close matches of `name`.

    Args:
        name: what was asked for.
        names: returns the names that there are; not called before something is missing.
        listing: the command that lists them.
        code: that of the error if the engine names none, as the hosted one.
    """
    try:
        yield
    except NotFoundError as error:
        failure = command_error(error)
        raise CommandError(
            error.code or code,
            sentence(
                "{problem}{hint}",
                problem=failure.message,
                hint=_near(name, failure.message, names),
            ),
            next=[listing],
            details=failure.details,
        ) from None


def _near(name: str, message: str, names: Callable[[], Sequence[str]]) -> str:
    if "did you mean" in message:
        return ""
    try:
        return close_matches(name, names())
    except ArcrunError:  # the first error is the one to show
        return ""


def close_matches(name: str, known: Sequence[str]) -> str:
    """Return the end of a sentence that names what was probably meant; empty if nothing is close.

    Example:
        >>> close_matches("notoin", ["notion", "slack"])
        "; did you mean 'notion'?"
    """
    from difflib import get_close_matches

    near = get_close_matches(name, known, 3, 0.5)
    if not near:
        return ""
    return sentence("; did you mean {names}?", names=either([repr(each) for each in near]))
