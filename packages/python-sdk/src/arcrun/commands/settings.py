"""The client that a command uses: of the SDK's settings, or of a profile of the config file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from arcrun import Arcrun
from arcrun._core.config import VARIABLES
from arcrun._local import read_config

from .errors import CommandError


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
        return Arcrun(**settings_of(profile))
    named = os.environ.get("ARCRUN_PROFILE")
    if not named:
        return Arcrun()
    settings = settings_of(named)
    return Arcrun(**{k: v for k, v in settings.items() if not os.environ.get(VARIABLES[k])})


def settings_of(profile: str) -> dict[str, Any]:
    """Return a profile's settings.

    Raises:
        CommandError: there is no such profile, or it is no mapping of settings.
    """
    profiles = read_config(None).get("profiles") or {}
    names = ", ".join(sorted(map(str, profiles))) if isinstance(profiles, Mapping) else ""
    if not isinstance(profiles, Mapping) or profile not in profiles:
        there_is = f"the profiles are: {names}" if names else "it has none"
        raise CommandError(
            "invalid_configuration",
            f"~/.arcrun/config.yaml has no profile {profile!r}; {there_is}",
        )
    settings = profiles[profile]
    if not isinstance(settings, Mapping) or set(settings) - set(VARIABLES):
        raise CommandError(
            "invalid_configuration",
            f"profiles.{profile} in ~/.arcrun/config.yaml must be a mapping of {', '.join(VARIABLES)}",
        )
    return dict(settings)
