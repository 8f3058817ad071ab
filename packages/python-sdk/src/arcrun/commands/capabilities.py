"""What an engine can do, asked before a command that needs it (docs/contract.md#capabilities)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from arcrun._core.errors import ArcrunError

from .errors import CommandError, Next
from .sentences import Sentence, sentence

if TYPE_CHECKING:
    from arcrun import Arcrun

    from .table import Command

# What `GET /` of the hosted engine names as its service. It lists no capabilities, and has none of them
# (docs/contract.md#differences-from-the-deployed-engine).
HOSTED = "cypher-executor"
# What a command needs, in words.
_WORDS = {
    "accounts": sentence("accounts that replace or revoke a key with all that is stored under it"),
    "components": sentence("catalog of components"),
    "device_login": sentence("log-in of devices"),
    "durable_runs": sentence("runs that outlive a request"),
    "knowledge_base": sentence("knowledge base"),
    "prompt_recipes": sentence("prompt recipes"),
    "recipe_versions": sentence("versions and labels of recipes"),
    "sealed_credentials": sentence("credentials that were encrypted by the client"),
}
_SEE = Next("see what it can do", "doctor")
_START = Next("start an engine on this machine", "dev")


def require(client: Arcrun, command: Command, arguments: Mapping[str, Any]) -> None:
    """Refuse a command that needs what the engine lacks, before anything else is sent.

    An engine that lists no capabilities is not refused, unless it is the hosted one, of which it is known.

    Args:
        client: the engine's client.
        command: the command.
        arguments: those of its function.

    Raises:
        CommandError: `unsupported`, or `sealed_unsupported`.
    """
    capability = command.capability(client, arguments)
    if not capability:
        return
    listed = client.health().get("capabilities")
    if listed is not None and capability not in listed:
        raise lacking(capability)
    if listed is None and not command.on_hosted:
        hosted = _hosted(client)
        if hosted:
            raise lacking(capability, hosted)


def lacking(capability: str, hosted: str = "") -> CommandError:
    """Return the error of an engine that lacks a capability.

    Args:
        capability: which one.
        hosted: name and version of the hosted engine, if it is that one.
    """
    what = _WORDS[capability]
    if capability == "sealed_credentials":
        return CommandError("sealed_unsupported", _without_sealing(hosted), next=[_SEE])
    if hosted:
        message = sentence(
            "the hosted engine ({engine}) has no {what}: use another engine, such as one of your own",
            engine=hosted,
            what=what,
        )
        return CommandError("unsupported", message, next=[_START, _SEE])
    message = sentence(
        "this engine has no {what} (its health lists no {capability}): use a newer engine",
        what=what,
        capability=capability,
    )
    return CommandError("unsupported", message, next=[_SEE])


def _without_sealing(hosted: str) -> Sentence:
    return sentence(
        "{engine} takes no credentials that were encrypted here. To send them as they are, over TLS, set "
        "ARCRUN_CREDENTIAL_FORMAT=plain, or write `credential_format: plain` to ~/.arcrun/config.yaml",
        engine=sentence("the hosted engine ({engine})", engine=hosted)
        if hosted
        else sentence("this engine"),
    )


def _hosted(client: Arcrun) -> str:
    """Return name and version of the hosted engine; empty if it is another one, or does not say."""
    try:
        root = client.request("GET", "/", max_retries=0)
    except ArcrunError:
        return ""
    return f"{HOSTED} {root.get('version', '?')}" if root.get("service") == HOSTED else ""
