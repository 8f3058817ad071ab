"""Regular expressions on texts, by RE2: no pattern can run away (https://github.com/google/re2/wiki/Syntax).

Pattern, flags and replacement stand in the node itself. What placeholders put into a pattern or a
replacement is text: it matches and appears as it is.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import re2

from arcrun_server.engine import ComponentError
from arcrun_server.engine.check import is_unicode
from arcrun_server.engine.shorten import shorten
from arcrun_server.json_text import as_text, encode
from arcrun_server.workers import Job, WorkerBusyError, WorkerError, WorkerTimeoutError

from .contract import given_value, optional, require, success
from .operations import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from arcrun_server.engine import Invocation, JsonObject
    from arcrun_server.workers import WorkerPool

MAX_TEXT = 1_000_000
MAX_PATTERN = 1000
MAX_MATCHES = 10_000
MAX_PARTS = 100_000
MAX_FOUND = 2_000_000
MAX_REPLACED = 3_000_000
SECONDS = 3.0
# Up to so much work, the steps of the slowest search, it is done at once; more is done by a worker.
QUICK_WORK = 2_000_000
_MEMORY = 512 * 1024  # of one compiled pattern; the module keeps up to 128 of them
_FLAGS = {
    "i": "ignore case",
    "m": "^ and $ match at each line",
    "s": ". matches line breaks too",
}
_JOB = Job(__name__, "job")
_DOLLAR = re.compile(r"\$(?:(\$)|([0-9]+)|\{(\w+)\})?")
_PER_MATCH, _PER_GROUP = 50, 8
_CONTINUED = frozenset(bytes([byte]) for byte in range(0x80, 0xC0))  # UTF-8, within a character
# What RE2 says of a pattern that is none, and the same for who wrote it; {} is the part that it names.
_REASONS = {
    "missing )": "a ( is not closed",
    "unexpected )": "a ) closes nothing",
    "missing ]": "the [ is not closed",
    "trailing \\": "it ends with a lone backslash",
    "no argument for repetition operator": "{} has nothing to repeat",
    "bad repetition operator": "{} repeats a repetition",
    "invalid repetition size": "{} is more than 1,000 repetitions, those inside of it included",
    "invalid perl operator": "{} is not supported; there is no looking ahead or back",
    "invalid escape sequence": "{} is no escape, and there are no references back; a backslash is \\\\",
    "invalid character class range": "{} is no range of characters",
    "invalid named capture group": "{} does not name a group; write (?P<name>…)",
    "pattern too large": "it would become too large; repeat less",
}


async def run(name: str, given: JsonObject, invocation: Invocation, workers: WorkerPool) -> Any:
    """Run an operation; a worker does it if it may take long.

    Args:
        name: The operation.
        given: Where `text` is.
        invocation: The node, in whose own data the pattern is.
        workers: The pool of workers.

    Raises:
        ComponentError: A parameter is wrong, or it takes too long.
    """
    search = _search(given, invocation)
    size = len(search["text"].encode())
    times = 1 if name in {"regex_test", "regex_match"} else size + 1
    if _compiled(search).programsize * size * times <= QUICK_WORK:
        return success(OPERATIONS[name].compute(search))
    try:
        answer = await workers.run(_JOB, encode([name, search]), seconds=SECONDS)
    except WorkerTimeoutError:
        raise ComponentError(
            f"`{name}` takes longer than {SECONDS:g} seconds; give a shorter text or a simpler pattern"
        ) from None
    except WorkerBusyError:
        raise ComponentError("too many texts are being searched; try again in a moment") from None
    except WorkerError:
        raise ComponentError(
            f"`{name}` needs too much memory; give a shorter text or a simpler pattern"
        ) from None
    found = json.loads(answer)
    if "problem" in found:
        raise ComponentError(found["problem"])
    return success(found["result"])


def job(payload: bytes) -> bytes:
    """Run an operation in a worker: from `[name, search]` to `{"result"}` or `{"problem"}`, as JSON."""
    name, search = json.loads(payload)
    try:
        return encode({"result": OPERATIONS[name].compute(search)})
    except ComponentError as problem:
        return encode({"problem": str(problem)})


def _search(given: JsonObject, invocation: Invocation) -> JsonObject:
    """Return what is searched, for what, and what replaces it."""
    text = require(given_value(given, "text"), str, "text")
    if len(text) > MAX_TEXT:
        raise ComponentError(f"`text` is longer than {MAX_TEXT:,} characters; split it first")
    search = {
        "text": text,
        "pattern": _written(invocation, "pattern", lambda value: re2.escape(as_text(value))),
        "flags": _flags(optional(invocation.own, "flags", str, "")),
    }
    if "replacement" in invocation.own:
        search["replacement"] = _written(
            invocation, "replacement", lambda value: as_text(value).replace("$", "$$")
        )
    if len(search["pattern"]) > MAX_PATTERN:
        raise ComponentError(
            f"`pattern` is longer than {MAX_PATTERN:,} characters; match with a simpler one"
        )
    for name, value in search.items():
        if not is_unicode(value):
            raise ComponentError(f"`{name}` is no valid Unicode: it holds a lone surrogate")
    return search


def _written(invocation: Invocation, name: str, write: Callable[[Any], str]) -> str:
    """Return a text of the node itself, what its placeholders put in made to stand for itself."""
    require(given_value(invocation.own, name), str, name)
    return invocation.fill(require(invocation.written[name], str, name), write)


def _flags(flags: str) -> str:
    for flag in flags:
        if flag not in _FLAGS:
            choices = ", ".join(f"{known} ({meaning})" for known, meaning in _FLAGS.items())
            raise ComponentError(f"`flags` can't have '{flag}'; the choices are: {choices}")
    return "".join(dict.fromkeys(flags))


def _compiled(search: JsonObject) -> Any:
    """Compile the pattern.

    Raises:
        ComponentError: It is none; the message says what is wrong with it, and where.
    """
    pattern, flags = search["pattern"], search["flags"]
    try:
        return _compile(pattern, flags)
    except re2.error as problem:
        raise ComponentError(_problem_of(pattern, flags, _reason(problem))) from None


def _compile(pattern: str, flags: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    return re2.compile(_prefix(flags) + pattern, options)


def _prefix(flags: str) -> str:
    return f"(?{flags})" if flags else ""


def _reason(problem: Exception) -> str:
    reason = problem.args[0] if problem.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)


def _problem_of(pattern: str, flags: str, reason: str) -> str:
    what, _, part = reason.partition(": ")
    part = part.removeprefix(_prefix(flags))
    known = next((text for start, text in _REASONS.items() if what.startswith(start)), what)
    place = _place(pattern, flags, what, part)
    where = "" if place is None else f" (at character {place + 1})"
    said = known.replace("{}", shorten(part, 40, "…"))
    return f"`pattern` is no regular expression: {said}{where}: {shorten(pattern, 100, '…')}"


def _place(pattern: str, flags: str, what: str, part: str) -> int | None:
    """Return where the part is that the reason names: the first place that is wrong for this reason."""
    if part == pattern:  # it names the whole, and only one sign in it can be found
        part = what.removeprefix("unexpected ")
    if not part or part == what:
        return None
    at = pattern.find(part)
    while at >= 0:
        try:
            _compile(pattern[: at + len(part)], flags)
        except re2.error as problem:
            if _reason(problem).startswith(what):
                return at
        at = pattern.find(part, at + 1)
    return None


def _matches(search: JsonObject, text: bytes, most: int) -> Iterator[Any]:
    """Yield the matches in a text in UTF-8, from left to right.

    Raises:
        ComponentError: There are too many.
    """
    last, count = None, 0
    for match in _compiled(search).finditer(text):
        span = match.span()
        # RE2's module finds an empty match twice if it had to search for it, and between the bytes of a character.
        if span == last or (span[0] == span[1] and text[span[0] : span[0] + 1] in _CONTINUED):
            continue
        last, count = span, count + 1
        if count > most:
            raise ComponentError(
                f"the pattern matches more than {most:,} times; match longer parts, or split the text first"
            )
        yield match


def _test(search: JsonObject) -> bool:
    return _compiled(search).search(search["text"].encode()) is not None


def _match(search: JsonObject) -> JsonObject | None:
    text = search["text"].encode()
    match = _compiled(search).search(text)
    return None if match is None else _described(match, len(_decoded(text[: match.start()])))


def _find_all(search: JsonObject) -> list[JsonObject]:
    text = search["text"].encode()
    groups = range(1 + _compiled(search).groups)
    found, size, start, index = [], 0, 0, 0
    for match in _matches(search, text, MAX_MATCHES):
        size += _PER_MATCH + sum(match.end(n) - match.start(n) + _PER_GROUP for n in groups)
        if size > MAX_FOUND:
            raise ComponentError(
                f"what the pattern finds is larger than {MAX_FOUND:,} bytes; find less at once"
            )
        index += len(_decoded(text[start : match.start()]))
        start = match.start()
        found.append(_described(match, index))
    return found


def _described(match: Any, index: int) -> JsonObject:
    return {
        "text": _decoded(match[0]),
        "index": index,
        "groups": [_decoded(group) for group in match.groups()],
        "named": {name: _decoded(group) for name, group in match.groupdict().items()},
    }


def _decoded(content: bytes | None) -> Any:
    """Return bytes of the text as text; None for a group that took no part."""
    return None if content is None else content.decode("utf-8", "replace")


def _replace(search: JsonObject) -> str:
    text = search["text"].encode()
    parts = _replacement(require(given_value(search, "replacement"), str, "replacement"), search)
    pieces: list[bytes] = []
    end, length = 0, 0
    for match in _matches(search, text, MAX_PARTS):
        new = [text[end : match.start()]]
        new += [part if isinstance(part, bytes) else match[part] or b"" for part in parts]
        length += sum(map(len, new))
        _check_length(length)
        pieces += new
        end = match.end()
    _check_length(length + len(text) - end)
    return str(_decoded(b"".join([*pieces, text[end:]])))


def _check_length(length: int) -> None:
    if length > MAX_REPLACED:
        raise ComponentError(f"the text would be longer than {MAX_REPLACED:,} bytes")


def _replacement(written: str, search: JsonObject) -> list[bytes | int]:
    """Split a replacement into texts and the numbers of groups."""
    expression = _compiled(search)
    names = expression.groupindex
    parts: list[bytes | int] = []
    end = 0
    for found in _DOLLAR.finditer(written):
        dollar, number, name = found.groups()
        parts.append(written[end : found.start()].encode())
        end = found.end()
        if dollar:
            parts.append(b"$")
            continue
        if number is None and name is None:
            raise ComponentError(
                "`replacement` has a $ that names no group; write $1 or ${name}, and $$ for a dollar sign"
            )
        wanted = number or name
        group = names.get(wanted, int(wanted) if wanted.isascii() and wanted.isdigit() else -1)
        if not 0 <= group <= expression.groups:
            there = ", ".join([f"$0 to ${expression.groups}", *(f"${{{key}}}" for key in names)])
            raise ComponentError(
                f"`replacement` names {shorten(found[0], 40, '…')}, but the pattern has {there}"
            )
        parts.append(group)
    return [part for part in (*parts, written[end:].encode()) if part != b""]


def _split(search: JsonObject) -> list[str]:
    text = search["text"].encode()
    pieces, end = [], 0
    for match in _matches(search, text, MAX_PARTS):
        start, stop = match.span()
        if start == stop and start in {end, len(text)}:
            continue  # an empty match splits between two characters only
        pieces.append(_decoded(text[end:start]))
        end = stop
    return [*pieces, _decoded(text[end:])]


OPERATIONS: dict[str, Operation] = {
    "regex_test": Operation(_test, "whether `pattern`, a regular expression, matches anywhere"),
    "regex_match": Operation(
        _match, "the first match (`text`, `index`, `groups`, `named`) or null"
    ),
    "regex_find_all": Operation(_find_all, "a list of all matches"),
    "regex_replace": Operation(_replace, "every match replaced by `replacement` ($1, ${name}, $$)"),
    "regex_split": Operation(_split, "a list, split at the matches"),
}
