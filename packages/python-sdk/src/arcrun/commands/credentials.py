"""Credentials, and the secrets of services. No command returns a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arcrun import Arcrun

from .errors import CommandError, Next
from .found import naming
from .parameters import SecretText
from .results import first
from .sentences import sentence

LISTING = Next("see the names", "creds list")


def list_credentials(client: Arcrun, *, limit: int = 50) -> dict[str, Any]:
    """List the credentials, without their values.

    Args:
        limit: how many at most
    """
    found = client.creds.list()
    return {"credentials": first(found, limit), "total": len(found)}


def push_credential(
    client: Arcrun,
    name: str,
    value: SecretText,
    *,
    service: str | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Store a credential, or replace it. It is encrypted here, before it is sent.

    Args:
        name: letters A-Z a-z, digits and _
        value: the secret
        service: the service that it is for
        dry_run: only say what would be stored
    """
    if dry_run:
        replaces = name in [each["name"] for each in client.creds.list()]
        return {"name": name, "service": service, "replaces": replaces, "dry_run": True}
    return {**client.creds.push(name, value, service=service)}


def delete_credential(client: Arcrun, name: str, *, dry_run: bool = False) -> dict[str, Any]:
    """Delete a credential.

    Args:
        name: the credential
        dry_run: only say whether it is there
    """

    def names() -> list[str]:
        return [each["name"] for each in client.creds.list()]

    if dry_run:
        if name not in names():
            raise CommandError(
                "credential_not_found",
                sentence("no credential {name}", name=repr(name)),
                next=[LISTING],
            )
        return {"name": name, "deleted": False, "dry_run": True}
    with naming(name, names, LISTING, "credential_not_found"):
        return {**client.creds.delete(name)}


def capability_of(client: Arcrun, arguments: Mapping[str, Any]) -> str:
    """Return the capability that an engine must have to store a secret in the format of the settings."""
    is_plain = client._connection.settings.credential_format == "plain"  # noqa: SLF001 - a client of ours
    return "" if is_plain or arguments.get("dry_run") else "sealed_credentials"
