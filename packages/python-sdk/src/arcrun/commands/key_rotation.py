"""A new key for the account, which is not lost if the response is (docs/contract.md#accounts)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arcrun import Arcrun
from arcrun._core.errors import APIConnectionError, APIStatusError, ArcrunError, AuthenticationError
from arcrun._local import read_config

from .answers import CommandClient
from .config_file import replace_key, write_settings
from .errors import CommandError, Next, command_error
from .login import account_of
from .sentences import sentence
from .settings import CONFIG, Setting, chosen_settings, kept_in, shown_key

# Holds a key from before the request that makes it valid until the config file has it.
DRAFT = "~/.arcrun/new-key.yaml"
_SERVER_FAILED = 500


def rotate_key(
    client: Arcrun, *, profile: str | None = None, dry_run: bool = False
) -> dict[str, Any]:
    """Replace the key by a new one, and keep it in ~/.arcrun/config.yaml. The old one is not valid from then on.

    Args:
        dry_run: only say which key it would be
    """
    settings = chosen_settings(profile)
    place, owner = _place_of(settings["api_key"], profile)
    if dry_run:
        account_of(client)  # refuses a key that is not valid
        old = settings["api_key"]
        return {
            "api_key": shown_key(old.value),
            "from": old.origin,
            "config": CONFIG,
            "dry_run": True,
        }
    draft = place.with_name(Path(DRAFT).name)
    url, old = settings["base_url"].value, settings["api_key"].value
    key = _drafted(draft, owner, url)
    if key is not None and _is_valid(key, url):  # the response to a former rotation was lost
        return _kept(key, old, place=place, draft=draft, owner=owner, result={"recovered": True})
    if key is None:
        key = f"ak_{secrets.token_hex(24)}"
        write_settings(draft, owner, {"api_key": key, "base_url": url})
    try:
        replaced = client.request("PUT", "/me/api-key/rotate", body={"api_key": key}, max_retries=0)
    except ArcrunError as error:
        if not _is_undecided(error):
            _drop(draft, owner)
            raise
        if not _was_made(key, url, error):
            raise _unknown(error) from None
        replaced = {"recovered": True}
    made = str(replaced.pop("api_key", key))
    if made != key:  # an engine that takes no proposals
        write_settings(draft, owner, {"api_key": made})
    return _kept(made, old, place=place, draft=draft, owner=owner, result=replaced)


def interrupted_rotation(setting: Setting, profile: str | None) -> bool:
    """Tell whether a rotation of this key was begun, and it is not known how it ended."""
    place = kept_in(setting, profile)
    if place is None:
        return False
    path, owner = place
    return bool(_section(path.with_name(Path(DRAFT).name), owner))


def _place_of(key: Setting, profile: str | None) -> tuple[Path, str | None]:
    """Return where the key is kept.

    Raises:
        CommandError: there is none, or it is where nothing here could keep the new one.
    """
    if not key.origin:
        raise CommandError(
            "missing_api_key", sentence("there is no API key"), next=[Next("log in", "login")]
        )
    place = kept_in(key, profile)
    if place is None:
        raise CommandError(
            "invalid_configuration",
            sentence(
                "the key comes from {origin}, which acr can't change: keep it in {config} first",
                origin=key.origin,
                config=CONFIG,
            ),
            next=[Next("keep it", "login", ("--with-token",))],
        )
    return place


def _section(draft: Path, owner: str | None) -> Mapping[str, Any]:
    """Return the part of the draft that is about a profile, or about what stands at the top; empty if it has none."""
    if not draft.exists():
        return {}
    file = read_config(draft)
    if owner:
        profiles: Any = file.get("profiles")
        return (profiles or {}).get(owner) or {}
    return {name: file.get(name) for name in ("api_key", "base_url") if file.get(name)}


def _drafted(draft: Path, owner: str | None, url: str) -> str | None:
    """Return the key that a former rotation at this engine has proposed."""
    found = _section(draft, owner)
    return found.get("api_key") if found.get("base_url") == url else None


def _drop(draft: Path, owner: str | None) -> None:
    """Remove the key from the draft, and the draft if it has no other one."""
    write_settings(draft, owner, {"api_key": None, "base_url": None})
    profiles: Any = read_config(draft).get("profiles") or {}
    if not _section(draft, None) and not any(profiles.values()):
        draft.unlink()


def _kept(
    key: str, old: str, *, place: Path, draft: Path, owner: str | None, result: dict[str, Any]
) -> dict[str, Any]:
    """Keep the new key in the config file, and return what may be shown."""
    try:
        others = replace_key(place, owner, old, key)
    except CommandError as error:
        raise CommandError(
            error.code,
            sentence(
                "the key was replaced, but {problem}; the new key is in {draft}",
                problem=error.message,
                draft=DRAFT,
            ),
            next=[Next("keep it, when that is mended", "auth rotate")],
        ) from None
    _drop(draft, owner)
    kept = {**result, "api_key": shown_key(key), "config": CONFIG}
    return {**kept, **({"profiles": others} if others else {})}


def _is_undecided(error: ArcrunError) -> bool:
    """Tell whether it is not known if the engine has done it."""
    if isinstance(error, APIStatusError):
        return error.status >= _SERVER_FAILED
    return isinstance(error, APIConnectionError)


def _is_valid(key: str, url: str) -> bool:
    with CommandClient(key, base_url=url) as client:
        try:
            account_of(client)
        except AuthenticationError:
            return False
    return True


def _was_made(key: str, url: str, error: ArcrunError) -> bool:
    """Tell whether the proposed key is valid.

    Raises:
        CommandError: that can't be known now.
    """
    try:
        return _is_valid(key, url)
    except ArcrunError:
        raise _unknown(error) from None


def _unknown(error: ArcrunError) -> CommandError:
    failure = command_error(error)
    return CommandError(
        failure.code,
        sentence(
            "{problem}; a new key may be valid now, and is in {draft}",
            problem=failure.message,
            draft=DRAFT,
        ),
        next=[Next("find out, and finish it", "auth rotate")],
    )
