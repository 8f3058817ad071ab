"""The log: lines for people or for programs, with the request and the run that they are about, and no secret."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from durable_server import Service, accept, calls, ended, push, service

from arcrun_server.errors import StartupError
from arcrun_server.settings import settings_from
from arcrun_server.telemetry import context
from arcrun_server.telemetry.logs import JsonFormatter, TextFormatter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["service"]

SECRET = "canary-of-the-log"


def record_of(error: Exception | None = None) -> logging.LogRecord:
    """Return a record of a warning, or of an error that was raised."""
    message, arguments = "a run waits: %s", ("the disk is full",)
    try:
        if error is not None:
            raise error
    except ValueError:
        where = ("arcrun_server.runs", logging.ERROR, __file__, 1)
        return logging.LogRecord(*where, message, arguments, sys.exc_info())
    where = ("arcrun_server.runs", logging.WARNING, __file__, 1)
    return logging.LogRecord(*where, message, arguments, None)


def test_json_names_request_and_run() -> None:
    formatter = JsonFormatter()
    with context.within(context.request_id, "req-1"), context.within(context.run_id, "run-1"):
        line = json.loads(formatter.format(record_of()))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "warning",
        "logger": "arcrun_server.runs",
        "message": "a run waits: the disk is full",
        "request_id": "req-1",
        "run_id": "run-1",
    }
    assert "run_id" not in json.loads(formatter.format(record_of()))


def test_text_names_the_run() -> None:
    with context.within(context.run_id, "run-1"):
        line = TextFormatter().format(record_of())
    assert line.endswith("Z WARNING run run-1: a run waits: the disk is full")


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_text_of_an_exception_is_not_written(formatter: logging.Formatter) -> None:
    line = formatter.format(record_of(ValueError(SECRET)))
    assert SECRET not in line
    assert "\n" not in line


def test_json_says_where_an_exception_was_raised() -> None:
    line = json.loads(JsonFormatter().format(record_of(ValueError(SECRET))))
    assert line["error_type"] == "ValueError"
    assert line["frames"][-1].endswith("record_of")
    assert __file__ in line["frames"][-1]


def test_line_break_in_a_message_stays_in_its_line() -> None:
    record = record_of()
    record.msg, record.args = "two\nlines \u2028", None
    line = JsonFormatter().format(record)
    assert len(line.split("\n")) == 1
    assert json.loads(line)["message"] == "two\nlines \u2028"


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [(("--log-format", "json"), {}), ((), {"ARCRUN_SERVER_LOG_FORMAT": "json"})],
)
async def test_each_line_of_a_server_is_json(
    serve: Callable[..., Any],
    tmp_path: Path,
    service: Service,
    arguments: tuple[str, ...],
    environment: dict[str, str],
) -> None:
    server = serve("--dev", "--json", "--data", tmp_path, *arguments, **environment)
    ready = await asyncio.to_thread(server.ready)
    headers = {"X-Arcrun-API-Key": ready["key"]}
    async with httpx.AsyncClient(base_url=ready["url"], headers=headers, timeout=60) as client:
        await client.post("/credentials", json={"name": "token", "value": SECRET})
        graph = calls(service, "/a")
        graph["nodes"][0]["data"]["headers"] = {"Authorization": "Bearer {{credential.token}}"}
        await push(client, "w", graph)
        await ended(client, await accept(client, "w"))
        await client.get(f"/health?key={SECRET}", headers={"X-Request-Id": "mine-1"})
        assert await asyncio.to_thread(server.logged, '"mine-1"')
    await asyncio.to_thread(server.stop)

    lines = [json.loads(line) for line in server.log]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    (health,) = [line for line in lines if line.get("request_id") == "mine-1"]
    assert health.pop("duration_ms") > 0
    del health["time"], health["message"]
    assert health == {
        "level": "info",
        "logger": "arcrun_server.access",
        "request_id": "mine-1",
        "method": "GET",
        "path": "/health",
        "route": "/health",
        "status": 200,
    }
    routes = {line.get("route") for line in lines}
    assert {"/webhooks/named/{name}/trigger", "/runs/{run_id}"} <= routes
    text = "".join(server.log)
    assert SECRET not in text
    assert ready["key"] not in text


def test_command_line_goes_before_the_environment(serve: Callable[..., Any]) -> None:
    server = serve("--dev", "--json", "--log-format", "text", ARCRUN_SERVER_LOG_FORMAT="json")
    httpx.get(f"{server.ready()['url']}/health")
    assert server.logged("INFO GET /health 200")


def test_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="ARCRUN_SERVER_LOG_FORMAT must be text or json"):
        settings_from({"ARCRUN_SERVER_LOG_FORMAT": "yaml"}, data_dir=tmp_path)


def test_warnings_of_libraries_go_the_same_way() -> None:
    # In a process of its own: it sets up the log of the whole process.
    program = (
        "import logging, warnings; from arcrun_server.telemetry.logs import log_to_stderr\n"
        "log_to_stderr('INFO', 'json')\n"
        "for name in ('uvicorn.error', 'asyncio', 'opentelemetry.sdk', 'arcrun_server.x'):\n"
        "    logging.getLogger(name).warning('about %s', name)\n"
        "logging.getLogger('httpx').info('not ours')\n"
        "warnings.warn('old', DeprecationWarning, stacklevel=1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", program], capture_output=True, text=True, check=True
    )
    found = [json.loads(line)["logger"] for line in io.StringIO(done.stderr)]
    assert found == [
        "uvicorn.error",
        "asyncio",
        "opentelemetry.sdk",
        "arcrun_server.x",
        "py.warnings",
    ]
