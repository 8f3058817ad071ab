"""The calls of the engine's API, one function each (CONTRACT.md §2)."""

from __future__ import annotations

from typing import Any, cast

from .calls import Call, field_of, object_of
from .config import Settings
from .errors import InvalidArgumentError
from .names import in_path
from .recipes import check_recipe
from .sealing import credential_body
from .secret import Secret
from .types import (
    AuthRecipe,
    Execution,
    Health,
    PushedCredential,
)


def health() -> Call[Health]:
    """`GET /health`."""
    return Call("GET", "/health", _health, key="none")


def list_services() -> Call[list[AuthRecipe]]:
    """`GET /auth-recipes`."""

    def read(answer: dict[str, Any]) -> list[AuthRecipe]:
        return cast("list[AuthRecipe]", field_of(answer, "recipes", list))

    return Call("GET", "/auth-recipes", read, key="welcome")


def get_recipe(service: str) -> Call[AuthRecipe]:
    """`GET /auth-recipes/{service}`."""

    def read(answer: dict[str, Any]) -> AuthRecipe:
        return check_recipe(object_of(answer, "recipe"), service)

    path = f"/auth-recipes/{in_path(service)}"
    return Call("GET", path, read, key="welcome", service=service)


def push_credential(
    settings: Settings,
    api_key: Secret,
    name: str,
    value: Secret,
    *,
    service: str | None,
    sensitivity: str | None,
) -> Call[PushedCredential]:
    """`POST /credentials`, sealed or plain."""
    if sensitivity not in {None, "standard", "high"}:
        raise InvalidArgumentError(f"sensitivity={sensitivity!r}: it is 'standard' or 'high'")
    body = credential_body(api_key, name, value, settings.credential_format)
    extra = {"service": service, "sensitivity": sensitivity}
    body.update({key: item for key, item in extra.items() if item is not None})

    def read(answer: dict[str, Any]) -> PushedCredential:
        field_of(answer, "name", str)
        return cast("PushedCredential", answer)

    sealed = settings.credential_format == "sealed"  # then no answer can repeat the value
    secrets = () if sealed else (value,)
    return Call("POST", "/credentials", read, body=body, secrets=secrets, sealed=sealed)


def list_executions(name: str, limit: int | None) -> Call[list[Execution]]:
    """`GET /workflows/{name}/executions`."""
    if limit is not None and (isinstance(limit, bool) or limit < 1):
        raise InvalidArgumentError(f"limit={limit!r}: it is a number from 1 on")

    def read(answer: dict[str, Any]) -> list[Execution]:
        return cast("list[Execution]", field_of(object_of(answer, "data"), "executions", list))

    query = "" if limit is None else f"?limit={limit}"
    return Call("GET", f"/workflows/{in_path(name)}/executions{query}", read)


def _health(answer: dict[str, Any]) -> Health:
    field_of(answer, "ok", bool)
    return cast("Health", answer)
