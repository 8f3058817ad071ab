"""What commands read of an engine's responses, by route: a response that lacks it is said to be unexpected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from arcrun import Arcrun
from arcrun._core.errors import UnexpectedResponseError

# A kind is a type, a list of one kind, or an object. `name?` may be missing or null, and `*` is any name.
Kind = Any
NUMBER = (int, float)
_WORDS = {
    str: "a text", int: "a whole number", bool: "true or false", dict: "an object", list: "a list",
    NUMBER: "a number",
}  # fmt: skip

_RUN = {"run_id": str, "status": str}
_LISTED_RUN = {**_RUN, "workflow?": str}
_TRACE = {"trace?": [dict], "error?": object, "duration_ms?": NUMBER}
_LABELS = {"labels?": {"*": {"version": int}}}
_WARNINGS = {"warnings?": [object]}
_FAULTS = {"warnings?": [dict]}
_VERSION = {"version": int, "name": str, "recipe": dict, "source?": str, **_LABELS}
_VERSIONS = {"versions": [{"version": int}]}
_DIFF = {"diff": str, "from": int, "to": int}
_SERVICE = {
    "service": str,
    "required_secrets?": [{"key": str, "label?": str, "help?": str, "help_url?": str}],
}
_BLOCK = {"id": str, "content": str}
_COMPONENT = {
    "canonical_id": str,
    "input_schema?": {"properties?": {"*": dict}, "required?": [str]},
    "branches?": list,
    "config_example?": dict,
}
SHAPES: dict[str, Kind] = {
    "GET /health": {"capabilities?": [str], "bundle_version?": str},
    "GET /me": {"account?": str, "email?": str, "key?": dict},
    "PUT /me/api-key/rotate": {"api_key?": str, "resealed?": int, "unopened?": [str]},
    "POST /auth/device/code": {
        "device_code": str, "user_code": str, "verification_uri": str,
        "verification_uri_complete?": str, "expires_in": NUMBER, "interval?": NUMBER,
    },
    "POST /auth/device/token": {"access_token": str},
    "GET /auth-recipes": {"recipes": [_SERVICE]},
    "GET /auth-recipes/{}": {"version?": int, "recipe": dict, **_LABELS},
    "GET /recipes": {"recipes": [{"canonical_id": str}]},
    "GET /recipes/{}": {"version": int, "recipe": dict, **_LABELS},
    "GET /credentials": {"credentials": [{"name": str}]},
    "GET /webhooks/named": {"workflows": [{"name": str}]},
    "GET /webhooks/named/{}/definition": {
        "graph": {"webhook?": {"secret?": str}}, "hook_url?": str,
    },
    "POST /webhooks/named": {"name": str, **_FAULTS},
    "POST /validate": {"nodeCount": int, "edgeCount": int, **_FAULTS},
    "POST /cypher/search": {"cypher": {"nodes": [{"id": str, "data?": dict}], "edges": [dict]}},
    "GET /runs": {"runs": [_LISTED_RUN]},
    "GET /runs/{}": {**_LISTED_RUN, **_TRACE, "task_id?": str, **_WARNINGS},
    "POST /runs/{}/cancel": _RUN,
    "POST /runs/{}/retry": {"run_id": str},
    "GET /prompt-recipes": {"recipes": [{"name": str}]},
    "GET /prompt-recipes/{}": {"recipe": _VERSION},
    "POST /prompt-recipes": {"recipe": {"version": int, "name": str}, **_WARNINGS},
    "GET /prompt-recipes/{}/versions": _VERSIONS,
    "GET /auth-recipes/{}/versions": _VERSIONS,
    "GET /recipes/{}/versions": _VERSIONS,
    "GET /prompt-recipes/{}/diff": _DIFF,
    "GET /auth-recipes/{}/diff": _DIFF,
    "GET /recipes/{}/diff": _DIFF,
    "POST /prompt-recipes/{}/render": {
        "messages": [{
            "role": str, "content": str,
            "ranges?": [{"start": int, "end": int, "origin": dict}],
        }],
        **_WARNINGS,
    },
    "POST /prompt-recipes/{}/test": {
        "passed": bool, "tests": [{"name": str, "passed": bool, "failures": [str]}],
    },
    "POST /prompt-recipes/{}/backtest": {
        "count": int,
        "runs": [{
            "status": str, "node": str, "version?": int,
            "messages?": [{"role": str, "diff": str}],
            "answer?": {"status": str, "diff?": str},
        }],
    },
    "GET /components": {"components": [_COMPONENT]},
    "GET /components/search": {"results": [{"canonical_id": str}]},
    "GET /components/{}": {"component": _COMPONENT},
    "GET /kbdb/search": {"blocks": [_BLOCK]},
    "GET /kbdb/blocks": {"blocks": [_BLOCK]},
    "GET /kbdb/blocks/{}": {"block": _BLOCK},
    "PATCH /kbdb/blocks/{}": {"block": dict},
    "POST /kbdb/blocks": {"block": dict},
}  # fmt: skip
_ROUTES = [
    (re.compile(re.escape(route).replace(r"\{\}", "[^/]+")), shape)
    for route, shape in SHAPES.items()
]


class CommandClient(Arcrun):
    """A client that checks in each response what commands read of it."""

    def _use(self, connection: Any) -> None:
        connection.check = check_answer
        super()._use(connection)


def check_answer(method: str, path: str, answer: Mapping[str, Any]) -> None:
    """Check what commands read of a response.

    Args:
        method: the request's.
        path: the request's, with its query.
        answer: the response's JSON object.

    Raises:
        UnexpectedResponseError: a field is missing, or has another type. The message shows no value.
    """
    route = f"{method} {path.partition('?')[0]}"
    shape: Kind = next((shape for pattern, shape in _ROUTES if pattern.fullmatch(route)), {})
    fault = _fault(answer, {**_WARNINGS, **shape}, "")
    if fault:
        raise UnexpectedResponseError(
            f"{route}: the response is not what the contract says: {fault}; is the base URL an arcrun engine of "
            "this version?"
        )


def _fault(value: object, kind: Kind, place: str) -> str:
    """Return what is wrong with a value; empty if nothing is."""
    if isinstance(kind, dict):
        return _fault_of_object(value, kind, place)
    if isinstance(kind, list):
        if not isinstance(value, list):
            return f"{place} must be a list"
        return next(
            filter(None, (_fault(each, kind[0], f"{place}[{n}]") for n, each in enumerate(value))),
            "",
        )
    is_flag = isinstance(value, bool) and kind in (int, NUMBER)
    return "" if isinstance(value, kind) and not is_flag else f"{place} must be {_WORDS[kind]}"


def _fault_of_object(value: object, kind: Mapping[str, Kind], place: str) -> str:
    if not isinstance(value, dict):
        return f"{place or 'it'} must be an object"
    for name, inner in kind.items():
        if name == "*":
            found = {key: (each, inner) for key, each in value.items()}
        elif not name.endswith("?") and name not in value:
            return f"{_joined(place, name)} is missing"
        elif name.endswith("?") and value.get(name[:-1]) is None:
            continue
        else:
            key = name.removesuffix("?")
            found = {key: (value[key], inner)}
        for key, (each, expected) in found.items():
            fault = _fault(each, expected, _joined(place, key))
            if fault:
                return fault
    return ""


def _joined(place: str, name: str) -> str:
    return f"{place}.{name}".lstrip(".")
