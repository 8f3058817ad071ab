"""The account and its key: which one is used, replaced by a new one, revoked."""

from __future__ import annotations

import os
from typing import Any

from arcrun import Arcrun
from arcrun._core.errors import ArcrunError

from .config_file import replace_key
from .errors import CommandError, command_error
from .key_rotation import interrupted_rotation
from .login import account_of
from .sentences import sentence
from .settings import CONFIG, chosen_settings, client_of, kept_in, shown_key


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
    if interrupted_rotation(settings["api_key"], profile):
        result["interrupted_rotation"] = True
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
        return {**found, "problem": sentence("there is no API key: log in with acr login")}
    try:
        account = account_of(client)
    except ArcrunError as error:
        return {**found, "problem": command_error(error).message}
    return {"ok": True, **found, **({"account": account} if account else {})}


def revoke_key(
    client: Arcrun, *, profile: str | None = None, dry_run: bool = False
) -> dict[str, Any]:
    """Revoke the key: from now on it opens nothing, and what is stored under it can't be read with it.

    Args:
        dry_run: only say which key it would be
    """
    key = chosen_settings(profile)["api_key"]
    if dry_run:
        account_of(client)  # refuses a key that is not valid
        return {
            "revoked": False,
            "api_key": shown_key(key.value),
            "from": key.origin,
            "dry_run": True,
        }
    result = {
        **client.request("DELETE", "/me/api-key", max_retries=0),
        "api_key": shown_key(key.value),
    }
    place = kept_in(key, profile)
    if place is None:
        return result if not key.origin else {**result, "still_in": key.origin}
    try:
        others = replace_key(*place, key.value, None)
    except CommandError as error:
        raise CommandError(
            error.code,
            sentence(
                "the key was revoked, but it is still in {config}: {problem}",
                config=CONFIG,
                problem=error.message,
            ),
        ) from None
    return {**result, "config": CONFIG, **({"profiles": others} if others else {})}
