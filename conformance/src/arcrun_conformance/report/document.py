"""A run as one JSON document: `conformance.json`, from which all other reports are made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from arcrun_conformance._version import __version__
from arcrun_conformance.checks.wire import further_pages
from arcrun_conformance.secrets import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from arcrun_conformance.adapters.protocol import Identity
    from arcrun_conformance.checks.check import Check
    from arcrun_conformance.runs.results import Cell, Run, StepRecord
    from arcrun_conformance.wire.journal import Exchange, Request, Response

FORMAT = 1
# What a report shows of a body, in bytes, and more than the longest form of a secret.
LONGEST_BODY = 200_000
_MARGIN = 16_384


def describe(run: Run) -> dict[str, Any]:
    """Return the run as JSON values, without secrets (schema `report`); `gate` is `None`."""
    described = {
        "format": FORMAT,
        "runner": __version__,
        "run": run.id,
        "suite": run.suite,
        "started": run.started,
        "seconds": round(run.seconds, 3),
        "interrupted": run.interrupted,
        "crash": run.crash or None,
        "target": {
            "name": run.target.name,
            "url": run.target.url,
            "contract": run.target.contract,
            "health": run.target.health,
            "remote": run.target.remote,
        },
        "sdks": [_sdk(name, identity) for name, identity in run.sdks.items()],
        "scenarios": _scenarios(run),
        "cells": [_cell(cell) for cell in run.cells],
        "leftovers": {
            "created": run.leftovers.created,
            "problems": [*run.leftovers.problems, *run.leftovers.secrets_on_disk],
            "left": run.leftovers.left,
        },
        "deviations": [],
        "gate": None,
    }
    redacted: dict[str, Any] = _redactor(run).value(described)
    for cell, shown in zip(run.cells, redacted["cells"], strict=True):
        for exchange, traffic in zip(cell.exchanges, shown["traffic"], strict=True):
            _end_long_body(exchange.request.body, traffic["request"])
            if exchange.response is not None:
                _end_long_body(exchange.response.body, traffic["answer"])
    return redacted


def _scenarios(run: Run) -> list[dict[str, Any]]:
    """Return the scenarios; of those that failed also how they are written, for who looks for the cause."""
    failing = {cell.scenario for cell in run.cells if cell.failed}
    return [
        {"id": s.id, "title": s.title, "spec": list(s.spec)}
        | ({"source": s.source} if s.id in failing else {})
        for s in run.scenarios
    ]


def _body(body: bytes) -> str:
    """Return a body as text; of a long one its beginning, and a margin that is cut off after redaction."""
    return body[: LONGEST_BODY + _MARGIN].decode("utf-8", "replace")


def _end_long_body(body: bytes, shown: dict[str, Any]) -> None:
    """Let a long body end with its size, and without the margin, in which a secret may be cut in two."""
    if len(body) > LONGEST_BODY + _MARGIN:
        shown["body"] = f"{shown['body'][:-_MARGIN]}… ({len(body)} bytes in all)"


def failing(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the cells that failed; skipped scenarios and known deviations are not failures."""
    known = {row["scenario"] for row in document["deviations"] if row["state"] == "known"}
    return [
        cell
        for cell in document["cells"]
        if cell["outcome"] not in {"passed", "skipped"} and cell["scenario"] not in known
    ]


def failed(document: dict[str, Any]) -> bool:
    """Return whether the run failed.

    A run that checked nothing has shown nothing, so it has failed too.
    """
    bad = failing(document)
    leftovers = document["leftovers"]
    ended = document["interrupted"] or document.get("crash")
    checked = any(cell["outcome"] != "skipped" for cell in document["cells"])
    return bool(bad or leftovers["left"] or leftovers["problems"] or ended or not checked)


def exempt(document: dict[str, Any]) -> list[str]:
    """Return a line for each SDK and reason, with the checks that the SDK is exempt from."""
    found: dict[tuple[str, str], list[str]] = {}
    for cell in document["cells"]:
        for check in cell["checks"]:
            if check["outcome"] == "exempt":
                reason = (cell["sdk"], check["message"])
                found.setdefault(reason, []).append(f"{cell['scenario']}/{check['id']}")
    return [
        f"{sdk} is exempt from {', '.join(checks)}: {reason}"
        for (sdk, reason), checks in found.items()
    ]


def write(document: dict[str, Any], path: Path) -> None:
    """Write the document as JSON, a line for each field, and for each cell."""
    with path.open("wb") as file:
        file.writelines(encoded(document))


def encoded(document: dict[str, Any]) -> Iterator[bytes]:
    """Yield the document as JSON in UTF-8, in pieces: a line for each field, and for each cell.

    A document of a whole matrix has 180 MB, and one emoji makes a text of it four times as large,
    so it is never in memory as one. Indented, it would be a third larger, and take four times as long.

    Example:
        >>> print(b"".join(encoded({"format": 1, "cells": [{"sdk": "a"}, {"sdk": "b"}]})).decode(), end="")
        {
        "format": 1,
        "cells": [
        {"sdk": "a"},
        {"sdk": "b"}
        ]
        }
    """
    before = "{\n"
    for name, value in document.items():
        yield f"{before}{json.dumps(name)}: ".encode()
        if name == "cells" and value:
            yield from _encoded_items(value)
        else:
            yield json.dumps(value, ensure_ascii=False).encode()
        before = ",\n"
    yield b"\n}\n"


def _encoded_items(items: list[Any]) -> Iterator[bytes]:
    before = "[\n"
    for item in items:
        yield f"{before}{json.dumps(item, ensure_ascii=False)}".encode()
        before = ",\n"
    yield b"\n]"


def _redactor(run: Run) -> Redactor:
    keys = run.target.keys
    further = {"second_api_key": keys.second, "revoked_api_key": keys.revoked}
    redactor = Redactor({"api_key": run.target.api_key})
    for name, value in further.items():
        if value:
            redactor.add(name, value)
    for cell in run.cells:
        for name, value in cell.secrets.items():
            redactor.add(name, value)
    return redactor


def _sdk(name: str, identity: Identity | None) -> dict[str, Any]:
    if identity is None:
        return {"name": name, "started": False}
    return {
        "name": name,
        "started": True,
        "sdk": identity.sdk,
        "version": identity.version,
        "language": identity.language,
        "runtime": identity.runtime,
        "capabilities": sorted(identity.capabilities),
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "scenario": cell.scenario,
        "sdk": cell.sdk,
        "outcome": cell.outcome,
        "reason": cell.reason,
        "lacks": cell.lacks,
        "recording": cell.recording,
        "seconds": round(cell.seconds, 4),
        "checks": [_check(check) for check in cell.checks],
        "steps": [_step(step) for step in cell.steps],
        "traffic": _traffic(cell.exchanges),
        "stderr": cell.stderr,
    }


def _step(step: StepRecord) -> dict[str, Any]:
    return {
        "id": step.id,
        "command": step.command,
        "answer": step.reply,
        "seconds": round(step.seconds, 4),
    } | ({"waited": list(step.waited)} if step.waited else {})


def _check(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "outcome": check.outcome,
        "message": check.message,
        "traffic": list(check.exchanges),
    }


def _traffic(exchanges: Sequence[Exchange]) -> list[dict[str, Any]]:
    further = further_pages(exchanges)
    return [
        _exchange(exchange) | {"further_page": exchange.number in further} for exchange in exchanges
    ]


def _exchange(exchange: Exchange) -> dict[str, Any]:
    finished = exchange.finished
    return {
        "number": exchange.number,
        "place": exchange.server,
        "step": exchange.step,
        "started": round(exchange.started, 4),
        "seconds": None if finished is None else round(finished - exchange.started, 4),
        "request": _request(exchange.request),
        "answer": _response(exchange.response) if exchange.response else None,
        "fault": exchange.fault,
        "problem": exchange.problem or exchange.refusal,
    }


def _request(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "target": request.target,
        "headers": [list(header) for header in request.headers],
        "body": _body(request.body),
    }


def _response(response: Response) -> dict[str, Any]:
    return {
        "status": response.status,
        "headers": [list(header) for header in response.headers],
        "body": _body(response.body),
    }
