"""What each command does with the hosted engine: it works there, or it is refused before it sends anything."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from conformance.tests.deployed_engine import DeployedEngine
from every_command import CALLS, WORKFLOW

# The look at what the engine can do, which every command may send first.
LOOK = ["GET /health", "GET /"]
NEEDS_A_RUN = "runs that outlive a request"
NEEDS_RECIPES = "prompt recipes"
NEEDS_VERSIONS = "versions and labels of recipes"
NEEDS_KNOWLEDGE = "knowledge base"
NEEDS_CATALOG = "catalog of components"
NEEDS_ACCOUNTS = "accounts that replace or revoke a key"


@dataclass(frozen=True)
class Refused:
    """A command that the hosted engine can't do.

    Attributes:
        lacks: what the message says that the engine lacks.
        code: the code of the error.
        cure: what the message says to do.
        next: the command that is next, if there is one.
    """

    lacks: str
    code: str = "unsupported"
    cure: str = "use another engine, such as one of your own"
    next: str = "acr dev"


@dataclass(frozen=True)
class Works:
    """A command that the hosted engine does.

    Attributes:
        check: tells whether its result is right.
        variables: settings that it needs.
    """

    check: Callable[[Any], bool]
    variables: tuple[tuple[str, str], ...] = ()


PLAIN = (("ARCRUN_CREDENTIAL_FORMAT", "plain"),)
_BUILT_IN = "comp_uppercase, text: '{{a}}'"
GREET = WORKFLOW.replace("string_ops", _BUILT_IN)

# Each command by the arguments of `every_command.CALLS`; a command of the table without a row fails a test.
ROWS: dict[str, Works | Refused] = {
    "push": Works(lambda found: found["name"] == "greet" and "/greet/trigger" in found["webhook_url"]),
    "validate": Works(lambda found: (found["valid"], found["nodes"], found["edges"]) == (True, 2, 1)),
    "run": Works(lambda found: (found["status"], found["data"]["text"]) == ("succeeded", "B")),
    "trigger": Refused(NEEDS_A_RUN),
    "logs": Refused(NEEDS_A_RUN),
    "workflows list": Works(lambda found: [each["name"] for each in found["workflows"]] == ["greet"]),
    "workflows get": Works(lambda found: found["name"] == "greet" and len(found["graph"]["nodes"]) == 2),
    "workflows delete": Works(lambda found: found["deleted"] is True),
    "runs list": Refused(NEEDS_A_RUN),
    "runs get": Refused(NEEDS_A_RUN),
    "runs cancel": Refused(NEEDS_A_RUN),
    "runs retry": Refused(NEEDS_A_RUN),
    "runs resume": Works(lambda found: found["noop"] is True),
    "recipe list": Refused(NEEDS_RECIPES),
    "recipe get": Refused(NEEDS_RECIPES),
    "recipe push": Refused(NEEDS_RECIPES),
    "recipe delete": Refused(NEEDS_RECIPES),
    "recipe render": Refused(NEEDS_RECIPES),
    "recipe test": Refused(NEEDS_RECIPES),
    "recipe versions": Refused(NEEDS_VERSIONS),
    "recipe diff": Refused(NEEDS_VERSIONS),
    "recipe label": Refused(NEEDS_VERSIONS),
    "recipe unlabel": Refused(NEEDS_VERSIONS),
    "recipe backtest": Refused(NEEDS_VERSIONS),
    "components list": Refused(NEEDS_CATALOG),
    "components search": Refused(NEEDS_CATALOG),
    "components get": Refused(NEEDS_CATALOG),
    "kb search": Refused(NEEDS_KNOWLEDGE),
    "kb get": Refused(NEEDS_KNOWLEDGE),
    "kb put": Refused(NEEDS_KNOWLEDGE),
    "kb import": Refused(NEEDS_KNOWLEDGE),
    "creds list": Works(lambda found: [each["name"] for each in found["credentials"]] == ["NAME"]),
    "creds push": Works(lambda found: found["name"] == "NAME", PLAIN),
    "creds delete": Works(lambda found: found["success"] is True),
    "services": Works(lambda found: {"notion", "slack"} <= {each["service"] for each in found["services"]}),
    "setup": Works(lambda found: found["stored"] == ["notion_token"], PLAIN),
    "login": Works(lambda found: found["account"]["email"] == "ming@example.com"),
    "auth status": Works(lambda found: (found["ok"], found["engine"]["version"]) == (True, "1.4.24")),
    "auth rotate": Refused(NEEDS_ACCOUNTS),
    "auth revoke": Refused(NEEDS_ACCOUNTS),
    "doctor": Works(lambda found: found["ok"] is True),
}  # fmt: skip
# They ask no engine, or start one of their own.
LOCAL = frozenset({"init", "dev", "explain", "logout", "completion"})

_SEALED = Refused(
    "takes no credentials that were encrypted here", "sealed_unsupported", "ARCRUN_CREDENTIAL_FORMAT=plain", "acr doctor"
)  # fmt: skip
# What depends on more than the command: arguments, and what becomes of it.
VARIANTS: dict[tuple[str, ...], Works | Refused] = {
    ("run", "greet", "--no-wait"): Refused("keeps no runs", cure="only while you wait", next="acr run greet"),
    ("recipe", "list", "--kind", "auth_recipe"): Refused(NEEDS_VERSIONS),
    ("recipe", "get", "api_recipe:gmail_send"): Refused(NEEDS_VERSIONS),
    ("recipe", "delete", "auth_recipe:notion", "--yes"): Refused(NEEDS_VERSIONS),
    ("creds", "push", "name"): _SEALED,
    ("setup", "notion"): _SEALED,
    ("creds", "push", "name", "--dry-run"): Works(lambda found: found["dry_run"] is True),
    ("setup", "notion", "--dry-run"): Works(lambda found: found["secrets"][0]["key"] == "notion_token"),
    ("login",): Refused("no log-in of devices", cure="copy a key from its site", next="acr login --with-token"),
}  # fmt: skip


def typed(name: str) -> tuple[list[str], str]:
    """What is typed after `acr` for a command, and what stands on standard input."""
    words, stdin = CALLS.get(name, ([], ""))
    return [*name.split(), *words], stdin.replace("string_ops", _BUILT_IN)


class Deployed:
    """A stand-in of the hosted engine that runs in a thread of its own.

    Attributes:
        engine: the engine.
        url: its address.
    """

    def __init__(self, engine: DeployedEngine) -> None:
        self.engine = engine
        self.url = engine.origin

    def requests(self) -> list[str]:
        """The requests so far, as method and path."""
        return [
            f"{each.request.method} {each.request.path}" for each in self.engine.journal.exchanges
        ]

    def has(self, method: str, path: str) -> bool:
        """Whether the hosted engine has a route."""
        return any(
            method == known and re.fullmatch(pattern, path)
            for known, pattern, *_ in self.engine._routes()
        )


@contextmanager
def serve_deployed() -> Iterator[Deployed]:
    """Serve the stand-in of the hosted engine."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def wait(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(20)

    engine = DeployedEngine()
    wait(engine.__aenter__())
    try:
        yield Deployed(engine)
    finally:
        wait(engine.__aexit__())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
