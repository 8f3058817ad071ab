"""The leak check: a secret may appear only where the scenario allows it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from arcrun_conformance.adapters.protocol import Result, SdkError
from arcrun_conformance.secrets import encodings

from .check import Check, check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from arcrun_conformance.scenarios.scenario import Secret
    from arcrun_conformance.wire.journal import Exchange, Headers

KEY_HEADER = "x-arcrun-api-key"


@dataclass
class Observations:
    """Everything from one run of a scenario in which a secret could appear.

    Attributes:
        exchanges: The requests and responses.
        replies: The adapter's replies, by step.
        stderr: What the adapter wrote to stderr meanwhile.
    """

    exchanges: Sequence[Exchange]
    replies: list[tuple[str, Result | SdkError]] = field(default_factory=list)
    stderr: str = ""


@dataclass(frozen=True)
class _Text:
    location: str
    description: str
    text: str


def leak_checks(secrets: Mapping[str, Secret], observations: Observations) -> list[Check]:
    """Return one check `secret-NAME` for each secret.

    Example:
        >>> from arcrun_conformance.scenarios.scenario import Secret
        >>> secret = Secret("sk-canary-1", frozenset())
        >>> leak_checks({"token": secret}, Observations([], stderr="key is sk-canary-1"))[0].message
        "the secret token appears on the adapter's stderr"
    """
    texts = list(_texts(observations))
    return [_leak_check(name, secret, texts) for name, secret in secrets.items()]


def _leak_check(name: str, secret: Secret, texts: Iterable[_Text]) -> Check:
    encoded = encodings(secret.value)
    leaks = [
        f"the secret {name} appears {text.description}"
        for text in texts
        if text.location not in secret.may_appear and any(form in text.text for form in encoded)
    ]
    return check(f"secret-{name}", list(dict.fromkeys(leaks)))


def _texts(observations: Observations) -> Iterator[_Text]:
    for exchange in observations.exchanges:
        yield from _exchange_texts(exchange)
    for step, reply in observations.replies:
        if isinstance(reply, SdkError):
            yield _Text("never", f"in the error of step {step}", _json(reply.fields))
        else:
            value, shown = _without_shown(reply.value)
            yield _Text("results", f"in the result of step {step}", _json(value))
            yield _Text("never", f"in the printed form of an object of step {step}", _json(shown))
    yield _Text("never", "on the adapter's stderr", observations.stderr)


def _exchange_texts(exchange: Exchange) -> Iterator[_Text]:
    request, number = exchange.request, exchange.number
    name = f"request {number} ({request.method} at the {exchange.server})"
    body = request.body.decode("utf-8", "replace")
    if exchange.server == "standin":
        head = f"{request.target}\n{_lines(request.headers)}"
        yield _Text("standin", f"in {name}", f"{head}\n{body}")
    else:
        yield _Text("never", f"in the URL of {name}", request.target)
        key_headers = _key_headers(request.target)
        key = [item for item in request.headers if item[0].lower() in key_headers]
        rest = [item for item in request.headers if item[0].lower() not in key_headers]
        yield _Text("key-header", f"in the key header of {name}", _lines(key))
        yield _Text("never", f"in the headers of {name}", _lines(rest))
        yield _Text("engine", f"in the body of {name}", body)
    # What a fault puts into a response is written in the scenario too: an engine that repeats a secret.
    if exchange.response is not None and exchange.fault is None:
        # The stand-in's responses are written in the scenario.
        location = "standin" if exchange.server == "standin" else "never"
        body = exchange.response.body.decode("utf-8", "replace")
        text = f"{_lines(exchange.response.headers)}\n{body}"
        yield _Text(location, f"in the response to {name}", text)


def _key_headers(target: str) -> set[str]:
    """Return the headers in which the key may be sent: to the knowledge base and `/me` also as a bearer token."""
    bearer = target == "/me" or target.startswith(("/kbdb/", "/me/"))
    return {KEY_HEADER, "authorization"} if bearer else {KEY_HEADER}


def _lines(headers: Headers) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _without_shown(value: Any) -> tuple[Any, Any]:
    if isinstance(value, dict) and isinstance(value.get("shown"), list):
        return {key: item for key, item in value.items() if key != "shown"}, value["shown"]
    return value, []
