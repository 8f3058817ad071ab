"""The leak check: each secret is looked for everywhere, and allowed only where the scenario says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .checks import Check, check
from .protocol import Result, SdkError
from .secrets import forms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .journal import Exchange, Headers
    from .scenario import Secret

KEY_HEADER = "x-arcrun-api-key"


@dataclass
class Seen:
    """All texts of one run of a scenario in which a secret could stand.

    Attributes:
        exchanges: What went over the wire.
        answers: What the adapter answered, by step.
        stderr: What the adapter wrote to stderr meanwhile.
    """

    exchanges: Sequence[Exchange]
    answers: list[tuple[str, Result | SdkError]] = field(default_factory=list)
    stderr: str = ""


@dataclass(frozen=True)
class _Text:
    place: str
    where: str
    text: str


def leak_checks(secrets: Mapping[str, Secret], seen: Seen) -> list[Check]:
    """One check `secret-NAME` for each secret.

    Example:
        >>> from arcrun_conformance.scenario import Secret
        >>> secret = Secret("sk-canary-1", frozenset())
        >>> leak_checks({"token": secret}, Seen([], stderr="key is sk-canary-1"))[0].message
        "the secret 'token' stands on the adapter's stderr"
    """
    texts = list(_texts(seen))
    return [_leak_check(name, secret, texts) for name, secret in secrets.items()]


def _leak_check(name: str, secret: Secret, texts: Iterable[_Text]) -> Check:
    shapes = forms(secret.value)
    leaks = [
        f"the secret {name!r} stands {text.where}"
        for text in texts
        if text.place not in secret.may_appear and any(shape in text.text for shape in shapes)
    ]
    return check(f"secret-{name}", list(dict.fromkeys(leaks)))


def _texts(seen: Seen) -> Iterator[_Text]:
    for exchange in seen.exchanges:
        yield from _exchange_texts(exchange)
    for step, answer in seen.answers:
        if isinstance(answer, SdkError):
            yield _Text("never", f"in the error of step {step!r}", _json(answer.fields))
        else:
            value, shown = _without_shown(answer.value)
            yield _Text("answers", f"in the result of step {step!r}", _json(value))
            yield _Text(
                "never", f"in what an object of step {step!r} shows of itself", _json(shown)
            )
    yield _Text("never", "on the adapter's stderr", seen.stderr)


def _exchange_texts(exchange: Exchange) -> Iterator[_Text]:
    request, number = exchange.request, exchange.number
    name = f"request {number} ({request.method} at the {exchange.place})"
    body = request.body.decode("utf-8", "replace")
    if exchange.place == "standin":
        head = f"{request.target}\n{_lines(request.headers)}"
        yield _Text("standin", f"in {name}", f"{head}\n{body}")
    else:
        yield _Text("never", f"in the URL of {name}", request.target)
        key = [item for item in request.headers if item[0].lower() == KEY_HEADER]
        rest = [item for item in request.headers if item[0].lower() != KEY_HEADER]
        yield _Text("key-header", f"in the key header of {name}", _lines(key))
        yield _Text("never", f"in the headers of {name}", _lines(rest))
        yield _Text("engine", f"in the body of {name}", body)
    if exchange.answer is not None:
        # What the stand-in answers is written in the scenario.
        place = "standin" if exchange.place == "standin" else "never"
        body = exchange.answer.body.decode("utf-8", "replace")
        yield _Text(place, f"in the answer to {name}", f"{_lines(exchange.answer.headers)}\n{body}")


def _lines(headers: Headers) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _without_shown(value: Any) -> tuple[Any, Any]:
    if isinstance(value, dict) and isinstance(value.get("shown"), list):
        return {key: item for key, item in value.items() if key != "shown"}, value["shown"]
    return value, []
