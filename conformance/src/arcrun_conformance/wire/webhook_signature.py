"""The headers of signed webhooks, as Standard Webhooks describes them."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode


def signed_headers(secret: str, webhook_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers that sign a body.

    Args:
        secret: `whsec_` and Base64.
        webhook_id: The webhook's id.
        timestamp: When it is sent, in seconds since 1970.
        body: Its body.

    Example:
        >>> signed_headers("whsec_AAAA", "a", 1, b"{}")["webhook-signature"][:3]
        'v1,'
    """
    key = b64decode(secret.removeprefix("whsec_"))
    content = f"{webhook_id}.{timestamp}.".encode() + body
    signature = b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
