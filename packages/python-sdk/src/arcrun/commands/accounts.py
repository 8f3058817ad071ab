"""The account and its key: which one is used, replaced by a new one, revoked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from arcrun import Arcrun
from arcrun._core.errors import ArcrunError

from .config_file import write_settings
from .errors import CommandError, Next, command_error
from .login import account_of
from .settings import CONFIG, chosen_settings, client_of, config_path, shown_key


def auth_status(*, profile: str | None = None) -> dict[str, Any]:
    """Show which settings count and where each comes from, and whether the engine accepts the key."""
    settings = chosen_settings(profile)
    shown = {
        name: {
            "value": shown_key(found.value) if name == "api_key" else found.value,
            "from": found.origin or None,
        }
        for name, found in settings.items()
    }
    result: dict[str, Any] = {
        "ok": False,
        "profile": profile or os.environ.get("ARCRUN_PROFILE"),
        "settings": shown,
    }
    try:
        with client_of(profile) as client:
            result |= _engine(client, has_key=settings["api_key"].value is not None)
    except (ArcrunError, CommandError) as error:
        failure = error if isinstance(error, CommandError) else command_error(error)
        result["problem"] = failure.message
    return result


def _engine(client: Arcrun, *, has_key: bool) -> dict[str, Any]:
    health = client.health()
    found: dict[str, Any] = {
        "engine": {
            "version": health.get("bundle_version"),
            "capabilities": health.get("capabilities", []),
        }
    }
    if not has_key:
        return {**found, "problem": "there is no API key: log in with acr login"}
    try:
        account = account_of(client)
    except ArcrunError as error:
        return {**found, "problem": command_error(error).message}
    return {"ok": True, **found, **({"account": account} if account else {})}


def rotate_key(client: Arcrun, *, profile: str | None = None) -> dict[str, Any]:
    """Replace the key by a new one, and keep it in ~/.arcrun/config.yaml. The old one is not valid from then on."""
    origin = chosen_settings(profile)["api_key"].origin
    if not origin:
        raise CommandError("missing_api_key", "there is no API key", next=[Next("log in", "login")])
    if not origin.endswith(CONFIG):
        # Nothing here could keep the new key, and the old one would be gone.
        raise CommandError(
            "invalid_configuration",
            f"the key comes from {origin}, which acr can't change: keep it in {CONFIG} first",
            next=[Next("keep it", "login", ("--with-token",))],
        )
    path = Path(config_path())
    named = profile or os.environ.get("ARCRUN_PROFILE")
    owner = named if origin.startswith("profiles.") else None
    replaced = client.request("PUT", "/me/api-key/rotate", max_retries=0)
    key = replaced.pop("api_key")
    try:
        write_settings(path, owner, {"api_key": key})
    except CommandError as error:
        raise CommandError(
            error.code,
            f"the key was replaced, but {error.message}; log in again to get the new one",
            next=[Next("log in again", "login")],
        ) from None
    return {**replaced, "api_key": shown_key(key), "config": CONFIG}


def revoke_key(client: Arcrun, *, profile: str | None = None) -> dict[str, Any]:
    """Revoke the key: from now on it opens nothing, and what is stored under it can't be read with it."""
    shown = shown_key(chosen_settings(profile)["api_key"].value)
    return {**client.request("DELETE", "/me/api-key", max_retries=0), "api_key": shown}
