"""A call of every command of the table, and the answers of an engine of which only the shape is right."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from arcrun.commands import answers

RUN = "0" * 32
KEY = "ak_" + "0123456789abcdef" * 3
WORKFLOW = "name: greet\nflow: ['input >> ON_SUCCESS >> shout']\nconfig: {shout: {component: string_ops}}\n"
RECIPE = "id: prompt_recipe:greeting\nsystem: Hello\n"

# What follows a command's name, and what comes on standard input. Commands without an entry take nothing.
CALLS: dict[str, tuple[list[str], str]] = {
    "push": (["-"], WORKFLOW),
    "validate": (["-"], WORKFLOW),
    "run": (["greet", "a=b"], ""),
    "trigger": (["greet"], ""),
    "workflows get": (["greet"], ""),
    "workflows delete": (["greet", "--yes"], ""),
    "runs get": ([RUN], ""),
    "runs cancel": ([RUN, "--yes"], ""),
    "runs retry": ([RUN], ""),
    "runs resume": (["task", "a=b"], ""),
    "recipe get": (["greeting"], ""),
    "recipe push": (["-"], RECIPE),
    "recipe delete": (["greeting", "--yes"], ""),
    "recipe render": (["greeting", "a=b"], ""),
    "recipe test": (["greeting"], ""),
    "recipe versions": (["greeting"], ""),
    "recipe diff": (["greeting", "1"], ""),
    "recipe label": (["greeting", "staging", "1"], ""),
    "recipe unlabel": (["greeting", "staging", "--yes"], ""),
    "recipe backtest": (["greeting"], ""),
    "components search": (["text"], ""),
    "components get": (["string_ops"], ""),
    "kb search": (["text"], ""),
    "kb get": (["page"], ""),
    "kb put": (["page", "-"], "text"),
    "creds push": (["name"], "value"),
    "creds delete": (["name", "--yes"], ""),
    "setup": (["notion"], "value"),
    "login": (["--with-token"], KEY),
    "auth rotate": (["--yes"], ""),
    "auth revoke": (["--yes"], ""),
}
# They ask no engine, or start one of their own.
LOCAL = {"init", "dev", "explain", "logout", "completion", "kb import"}
CAPABILITIES = [
    "accounts", "components", "durable_runs", "knowledge_base", "prompt_recipes", "recipe_versions",
    "device_login", "sealed_credentials",
]  # fmt: skip


def filled(kind: Any, text: str) -> Any:
    """Return a value of a kind, every text of which is `text`."""
    if isinstance(kind, dict):
        found = {
            (text if name == "*" else name.removesuffix("?")): filled(inner, text)
            for name, inner in kind.items()
        }
        return found or {text: text}
    if isinstance(kind, list):
        return [filled(kind[0], text)]
    plain: dict[Any, Callable[[], Any]] = {
        str: lambda: text, int: lambda: 1, bool: lambda: True, dict: lambda: {text: text},
        list: lambda: [text], answers.NUMBER: lambda: 1, object: lambda: text,
    }  # fmt: skip
    return plain[kind]()


def answer_to(method: str, target: str, text: str) -> dict[str, Any]:
    """Return the answer to a request, every text of which is `text`, as far as commands read texts."""
    route = f"{method} {target.partition('?')[0]}"
    shape = next((shape for pattern, shape in answers._ROUTES if pattern.fullmatch(route)), {})
    # Fields that SDKs need besides.
    common = {
        "ok": True,
        "success": True,
        "name": text,
        "label": text,
        "version": 1,
        "task_id": text,
    }
    found = {**common, "warnings": [text], **filled(shape, text)}
    if route == "GET /health":
        found["capabilities"] = CAPABILITIES
    if re.fullmatch(r"GET /runs/[^/]+", route):
        found["workflow"] = text
    return found
