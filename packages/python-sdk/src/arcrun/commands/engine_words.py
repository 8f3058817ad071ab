"""What an engine says in the words of HTTP, in those of commands: who types a command, or calls a tool, sends no request."""

from __future__ import annotations

import re

from .next_steps import Next

# What an engine advises, with the command that does it. Some commands and options have another name than the route.
_STEPS = {
    "try again when one has ended: GET /runs?status=running": Next(
        "try again when one has ended", "runs list", named=(("status", "running"),)
    ),
    "see the runs that wait: GET /executions/paused": Next(
        "see the runs that wait", "runs list", named=(("status", "paused"),)
    ),
    "log in: GET /auth/google/start or GET /auth/github/start": Next("log in", "login"),
    "log in again: GET /auth/google/start or GET /auth/github/start": Next("log in again", "login"),
    "make one, after a log-in: POST /register": Next("log in", "login"),
    "see the routes: GET /docs or GET /openapi.json": Next(
        "check the engine and the settings", "doctor"
    ),
    "change that block: PATCH /kbdb/blocks/{id}": Next(
        "change that block", "kb put", ("PAGE", "TEXT"), named=(("replace", True),)
    ),
    "or leave id out for a new one": Next("or let the engine choose the id of a new block"),
    "wait as long as Retry-After says, then try again": Next("wait a moment, then try again"),
    "change these, or delete it all the same with ?force=true": Next(
        "change these, or delete it all the same", "recipe delete", ("NAME",), named=(("force", True),)
    ),
}  # fmt: skip
_COMMANDS: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "GET /webhooks/named": ("workflows list", ()),
    "GET /prompt-recipes": ("recipe list", ()),
    "GET /auth-recipes": ("services", ()),
    "GET /recipes": ("recipe list", (("kind", "api_recipe"),)),
    "GET /components": ("components list", ()),
    "GET /components/search?q=": ("components search", ()),
    "GET /credentials": ("creds list", ()),
    "GET /runs": ("runs list", ()),
    "GET /kbdb/search?q=": ("kb search", ()),
}
_ROUTE = re.compile(r": (?:GET|POST|PUT|PATCH|DELETE) /\S*(?: or .*)?$")
_MESSAGES = (
    (re.compile(r"^this route needs an API key.*", re.DOTALL), "the engine needs an API key"),
    (re.compile(r"^the body\b"), "what was sent"),
    (re.compile(r"^the (\w+) in the path is"), r"the \1 is"),
    (
        re.compile(r"^the recipe in the body is (.+), but the path names (.+)"),
        r"the recipe is \1, but the name that was given is \2",
    ),
)
_IN_RESPONSE = ", under the X-Request-Id of this response"


def step_of(action: str) -> Next | None:
    """Return what an engine advises as a step, with the command that does it; None if no command does.

    Example:
        >>> step_of("see the runs: GET /runs")
        Next(text='see the runs', command='runs list', arguments=(), named=())
    """
    if action in _STEPS:
        return _STEPS[action]
    text, _, route = action.rpartition(": ")
    if text and route in _COMMANDS:
        command, named = _COMMANDS[route]
        return Next(text.removeprefix("or "), command, named=named)
    return None if _ROUTE.search(action) else Next(action)


def message_of(message: str, request_id: str | None) -> str:
    """Return an engine's message without what is of HTTP alone.

    Args:
        message: the engine's.
        request_id: that of the response, which is shown nowhere else.
    """
    for pattern, said in _MESSAGES:
        message = pattern.sub(said, message)
    under = f", under the request id {request_id}" if request_id else ""
    return message.replace(_IN_RESPONSE, under)
