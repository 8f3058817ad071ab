"""Services: their secrets, stored as the auth recipe names them."""

from __future__ import annotations

from typing import Any

from arcrun import Arcrun

from .asking import Ask, Question
from .errors import CommandError, Next
from .found import close_matches
from .sentences import sentence

LISTING = Next("see the services", "services")


def set_up_service(
    client: Arcrun, service: str, *, account: str | None = None, dry_run: bool = False, ask: Ask
) -> dict[str, Any]:
    """Store the secrets of a service: asked for one by one, or lines of KEY=VALUE on standard input.

    Args:
        service: the service
        account: one of several accounts, for example work
        dry_run: only say which secrets it needs
    """
    secrets = _required_secrets(client, service)
    if dry_run:
        needed = [question._asdict() for question in secrets]
        return {"service": service, "account": account, "secrets": needed, "dry_run": True}
    return {**client.auth.setup(service, account=account, secrets=ask(secrets))}


def _required_secrets(client: Arcrun, service: str) -> list[Question]:
    """Return what to ask for.

    Raises:
        CommandError: there is no such service.
    """
    recipes = client.auth.list_services()
    found = next((each for each in recipes if each["service"] == service), None)
    if found is None:
        near = close_matches(service, [each["service"] for each in recipes])
        raise CommandError(
            "service_not_found",
            sentence("there is no service {service}{near}", service=repr(service), near=near),
            next=[LISTING],
        )
    return [
        Question(
            secret["key"],
            str(secret.get("label") or secret["key"]),
            " ".join(filter(None, (secret.get("help"), secret.get("help_url")))),
            bool(secret.get("optional")),
        )
        for secret in found.get("required_secrets", [])
    ]
