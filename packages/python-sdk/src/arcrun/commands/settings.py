"""The settings that count for a command, where each comes from, and the client that uses them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from arcrun import Arcrun
from arcrun._core.config import HOSTED, VARIABLES
from arcrun._local import default_config, read_config

from .answers import CommandClient
from .errors import CommandError, Next
from .sentences import sentence

CONFIG = "~/.arcrun/config.yaml"


class Setting(NamedTuple):
    """A setting that counts.

    Attributes:
        value: what it is; None if it is not set and has no default.
        origin: where it comes from, as `the variable ARCRUN_API_KEY`; empty if it is not set.
    """

    value: Any
    origin: str

    def __repr__(self) -> str:
        """Return it without the value, which may be a key."""
        return f"<Setting from {self.origin}>"


def client_of(profile: str | None) -> Arcrun:
    """Return a client.

    A profile's settings stand under `profiles.NAME` in the config file. One that `--profile` names counts before the
    environment; one that the variable ARCRUN_PROFILE names counts after it.

    Args:
        profile: as given by `--profile`; None for that of ARCRUN_PROFILE, or none.

    Raises:
        CommandError: there is no such profile.
    """
    if profile:
        return CommandClient(**settings_of(profile))
    named = os.environ.get("ARCRUN_PROFILE")
    if not named:
        return CommandClient()
    settings = settings_of(named)
    return CommandClient(**{k: v for k, v in settings.items() if not os.environ.get(VARIABLES[k])})


def chosen_settings(profile: str | None) -> dict[str, Setting]:
    """Return each setting that counts, by name.

    Args:
        profile: as for `client_of`.

    Raises:
        CommandError: there is no such profile.
    """
    named = profile or os.environ.get("ARCRUN_PROFILE")
    of_profile: Mapping[str, Any] = settings_of(named) if named else {}
    config = read_config(None)
    chosen: dict[str, Setting] = {}
    for name, variable in VARIABLES.items():
        in_profile = Setting(of_profile.get(name), f"profiles.{named} in {CONFIG}")
        in_environment = Setting(
            os.environ.get(variable) or None, sentence("the variable {name}", name=variable)
        )
        first = [in_profile, in_environment] if profile else [in_environment, in_profile]
        found = [*first, Setting(config.get(name), CONFIG)]
        default = {"base_url": HOSTED, "credential_format": "sealed"}.get(name)
        chosen[name] = next(
            (each for each in found if each.value is not None),
            Setting(default, sentence("the default") if default else ""),
        )
    return chosen


def settings_of(profile: str) -> dict[str, Any]:
    """Return a profile's settings.

    Raises:
        CommandError: there is no such profile, or it is no mapping of settings.
    """
    profiles = read_config(None).get("profiles") or {}
    names = ", ".join(sorted(map(str, profiles))) if isinstance(profiles, Mapping) else ""
    if not isinstance(profiles, Mapping) or profile not in profiles:
        there_are = sentence("the profiles are: {names}", names=names)
        there_is = there_are if names else sentence("it has none")
        raise CommandError(
            "invalid_configuration",
            sentence(
                "{config} has no profile {profile}; {there_is}",
                config=CONFIG,
                profile=repr(profile),
                there_is=there_is,
            ),
            next=[Next("make it", "login", ("--profile", profile))],
        )
    settings = profiles[profile]
    if not isinstance(settings, Mapping) or set(settings) - set(VARIABLES):
        raise CommandError(
            "invalid_configuration",
            sentence(
                "profiles.{profile} in {config} must be a mapping of {names}",
                profile=profile,
                config=CONFIG,
                names=", ".join(VARIABLES),
            ),
        )
    return dict(settings)


def shown_key(key: object) -> str | None:
    """Return what may be shown of a key: its beginning and its last four characters.

    Example:
        >>> shown_key("ak_" + "0123456789abcdef" * 3)
        'ak_0…cdef'
    """
    if not isinstance(key, str) or not key:
        return None
    return f"{key[:4]}…{key[-4:]}" if len(key) >= 24 else "…"


def kept_in(setting: Setting, profile: str | None) -> tuple[Path, str | None] | None:
    """Return the config file and the profile in it that hold a setting; None if it comes from elsewhere.

    Args:
        setting: as `chosen_settings` returned it.
        profile: as it was given to `chosen_settings`.
    """
    if not setting.origin.endswith(CONFIG):
        return None
    named = profile or os.environ.get("ARCRUN_PROFILE")
    return Path(config_path()), named if setting.origin.startswith("profiles.") else None


def config_path() -> str:
    """Return the path of the config file.

    Raises:
        CommandError: there is no home directory.
    """
    path = default_config()
    if path is None:
        raise CommandError(
            "invalid_configuration", sentence("there is no home directory: set the variable HOME")
        )
    return str(path)
