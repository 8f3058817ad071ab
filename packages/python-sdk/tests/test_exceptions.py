"""Whatever a transport of the user's own raises: no part of it that leaves the SDK holds a secret."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

import arcrun
from arcrun._core.exceptions import scrubbed

SECRET = "s3cret-value"

if sys.version_info < (3, 11):  # groups are part of the language from then on
    pytest.skip("there are no groups of exceptions", allow_module_level=True)
# For linters, which know the oldest supported version.
ExceptionGroup: Any = vars(builtins)["ExceptionGroup"]
BaseExceptionGroup: Any = vars(builtins)["BaseExceptionGroup"]


class OwnError(Exception):
    """An error with more than a text."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args)
        vars(self).update(attributes)


def with_note(error: Exception, note: str) -> Exception:
    error.add_note(note)
    return error


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


# What a transport raises for a request that holds the secret.
RAISED: dict[str, Callable[[httpx.Request, str], BaseException]] = {
    "a group": lambda request, _: ExceptionGroup("x", [httpx.ReadError("y", request=request)]),
    "a group in a group": lambda request, text: ExceptionGroup(
        "x", [ValueError("y"), ExceptionGroup("z", [OwnError(text, request=request)])]
    ),
    "a group with a text": lambda _, text: ExceptionGroup(text, [ValueError("y")]),
    "a group of an interruption": lambda request, text: BaseExceptionGroup(
        text, [KeyboardInterrupt(), httpx.ReadError(text, request=request)]
    ),
    "a member with a cause": lambda request, text: ExceptionGroup(
        "x", [caused(ValueError("y"), OwnError(text, request))]
    ),
    "an attribute": lambda request, text: OwnError("x", request=request, url=text),
    "an argument": OwnError,
    "a note": lambda _, text: with_note(ValueError("x"), f"while sending {text}"),
    "an error of the system": lambda _, text: ConnectionResetError(104, text),
    "bytes": lambda _, text: OwnError(text.encode()),
    "a response": lambda request, _: OwnError("x", response=httpx.Response(500, request=request)),
}


class Raising(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that raises something with the request in it."""

    def __init__(self, make: Callable[[httpx.Request, str], BaseException]) -> None:
        self.make = make

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        held = f"{request.url} {request.headers.get('authorization')} {request.read().decode()}"
        raise self.make(request, held)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


def members_of(error: BaseException) -> Iterator[BaseException]:
    """Return an exception with its causes, and with its members, if it is a group."""
    yield error
    for other in (error.__cause__, error.__context__, *getattr(error, "exceptions", ())):
        if other is not None:
            yield from members_of(other)


def held_by(error: BaseException) -> str:
    """Return what can be read in an exception: texts, attributes, requests, frames of the SDK."""
    found: list[object] = []
    for each in members_of(error):
        found += [str(each), repr(each), vars(each), each.args]
        requests = [*vars(each).values(), *each.args]
        requests += [getattr(value, "_request", None) for value in requests]
        found += [
            (r.url, r.headers.raw, r.content) for r in requests if isinstance(r, httpx.Request)
        ]
        step = each.__traceback__
        while step is not None:
            if "/arcrun/" in step.tb_frame.f_code.co_filename.replace("\\", "/"):
                found.append(step.tb_frame.f_locals)
            step = step.tb_next
    return repr(found)


@pytest.mark.parametrize("raised", RAISED)
@pytest.mark.parametrize("section", ["header", "query", "path"])
def test_what_a_transport_raises_holds_no_secret(
    raised, section, kind, server, other_server, serve_recipe
) -> None:
    name = "Authorization" if section == "header" else "key"
    serve_recipe("own", other_server.url, ["tok"], inject={section: {name: "{{secret.tok}}"}})
    client = kind.client(server.url)
    kind.run(client.auth.setup("own", tok=SECRET))
    transport = Raising(RAISED[raised])
    bound = kind.bind(client, "own", trust_origin=other_server.url, transport=transport)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - every kind
        kind.run(bound.post("/{key}/x"))
    assert SECRET not in held_by(caught.value)


@pytest.mark.parametrize("raised", RAISED)
def test_what_a_transport_raises_for_a_push_holds_no_value(raised, kind, key) -> None:
    http = kind.http_client(transport=Raising(RAISED[raised]))
    options = {"credential_format": "plain", "max_retries": 0, "http_client": http}
    client = kind.client("https://engine.test", **options)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - every kind
        kind.run(client.creds.push("tok", SECRET))
    assert SECRET not in held_by(caught.value)
    assert key not in held_by(caught.value)


def test_an_exception_without_secrets_stays_the_same_object() -> None:
    inner = ValueError("x", 5)
    for error in (inner, ExceptionGroup("y", [inner]), OSError(2, "no such file"), KeyError("k")):
        before = (str(error), error.args)
        assert scrubbed(error, lambda text: text.replace(SECRET, "***")) is error
        assert (str(error), error.args) == before


def test_the_kind_of_a_group_and_of_its_members_is_kept() -> None:
    error = ExceptionGroup(SECRET, [arcrun.ArcrunError(SECRET), OSError(5, SECRET)])
    found = scrubbed(error, lambda text: text.replace(SECRET, "***"))
    assert isinstance(found, ExceptionGroup)
    assert found.message == "***"
    assert [repr(member) for member in found.exceptions] == [
        "ArcrunError('***')",
        "RuntimeError('OSError: [Errno 5] ***')",
    ]
