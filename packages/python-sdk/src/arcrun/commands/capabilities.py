"""What an engine can do, asked before a command that needs it (docs/contract.md#capabilities)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import CommandError, Next

if TYPE_CHECKING:
    from arcrun import Arcrun

# What a command needs, in words.
_WORDS = {
    "components": "catalog of components",
    "durable_runs": "runs that outlive a request",
    "knowledge_base": "knowledge base",
    "prompt_recipes": "prompt recipes",
    "recipe_versions": "versions and labels of recipes",
    "schedules": "schedules",
    "accounts": "accounts",
}


def require(client: Arcrun, capability: str) -> None:
    """Refuse a command that needs what the engine lacks. An engine that lists no capabilities is not refused.

    Raises:
        CommandError: `unsupported`.
    """
    if not capability:
        return
    listed = client.health().get("capabilities")
    if listed is not None and capability not in listed:
        what = _WORDS.get(capability, capability)
        raise CommandError(
            "unsupported",
            f"this engine has no {what} (its health lists no {capability}): use a newer engine",
            next=[Next("see what it can do", "doctor")],
        )
