"""Webhooks: a workflow is triggered as others do, with a signature instead of a key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import time
from typing import Any
from uuid import uuid4

from arcrun import Arcrun
from arcrun._core.names import variable

from .asking import Ask, Question
from .errors import CommandError, Next
from .found import naming
from .keyless import send_content
from .parameters import JsonObject
from .sentences import sentence

_LISTING = Next("see the names", "workflows list")


def trigger_workflow(
    client: Arcrun,
    name: str,
    body: JsonObject | None = None,
    *,
    signed: bool = False,
    webhook_id: str | None = None,
    dry_run: bool = False,
    ask: Ask,
) -> dict[str, Any]:
    """Trigger a workflow by its webhook, signed as Standard Webhooks says.

    The secret is that of the workflow's `webhook.secret`: from the variable ARCRUN_SECRET_NAME, else asked for.

    Args:
        name: the workflow
        body: what is sent as JSON
        signed: sign it; without it the engine must refuse, which shows that the hook is closed to others
        webhook_id: the same id is the same run for a day; by default a new one
        dry_run: only say where it would be sent
    """
    with naming(
        name,
        lambda: [each["name"] for each in client.workflows.list()],
        _LISTING,
        "workflow_not_found",
    ):
        workflow: dict[str, Any] = {**client.workflows.get(name)}
    url = workflow.get("hook_url")
    if not isinstance(url, str):
        raise CommandError(
            "hook_not_found",
            sentence(
                "the workflow {name} takes no webhooks: write `webhook: {secret: NAME}` in it, NAME being a credential that begins with whsec_, and push it again",
                name=repr(name),
            ),
        )
    if dry_run:
        return {"name": name, "hook_url": url, "dry_run": True}
    content = json.dumps(body or {}, ensure_ascii=False).encode()
    headers: dict[str, str] = {}
    if signed:
        sent_as = webhook_id or f"msg_{uuid4().hex}"
        headers = signature_headers(_secret(workflow, ask), sent_as, content)
    reply = send_content("POST", url, content, headers)
    if not reply.is_success:
        raise reply.error(f"POST {url}")
    return {"name": name, **reply.body}


def signature_headers(
    secret: bytes, webhook_id: str, body: bytes, timestamp: int | None = None
) -> dict[str, str]:
    """Return the headers that sign a webhook as Standard Webhooks says.

    Args:
        secret: the key of the HMAC.
        webhook_id: names the message; a repetition has the same one.
        body: the bytes that are sent.
        timestamp: seconds since 1970; by default now.
    """
    moment = str(int(time.time()) if timestamp is None else timestamp)
    signed = b".".join((webhook_id.encode(), moment.encode(), body))
    signature = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{signature}",
    }


def _secret(workflow: dict[str, Any], ask: Ask) -> bytes:
    """Return the secret of a workflow's webhook.

    Raises:
        CommandError: it is not `whsec_` and Base64. The message does not show it.
    """
    settings = workflow["graph"].get("webhook") or {}
    name = str(settings.get("secret") or "webhook_secret")
    question = Question(name, f"the secret of the webhook, the credential {name}", "whsec_…")
    text = os.environ.get(variable(name)) or ask([question])[name]
    try:
        key = base64.b64decode(text.strip().split("\n")[0].removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not text.startswith("whsec_") or len(key) < 16:
        raise CommandError(
            "invalid_argument",
            sentence(
                "the secret {name} must be whsec_ and the Base64 of at least 16 bytes", name=name
            ),
        )
    return key
