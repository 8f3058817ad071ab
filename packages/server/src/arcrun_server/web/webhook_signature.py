"""The signatures of webhooks, as Standard Webhooks describes them (docs/contract.md#webhooks-in)."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TOLERANCE_SECONDS = 300
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
MOST_SECRETS = 5
FEWEST_BYTES = 16
_PREFIX = "whsec_"
_ID = re.compile(r"[\x21-\x7e]{1,256}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_MOST_SIGNATURES = 20


class SignatureError(Exception):
    """A webhook is not signed as it should be. The message says what its sender can do."""


@dataclass(frozen=True)
class Signed:
    """What a webhook says to be signed with.

    Attributes:
        id: Its id, the same for each time that it is sent.
        timestamp: When it was sent, in seconds since 1970, as written.
        signatures: Its signatures, in Base64.
    """

    id: str
    timestamp: str
    signatures: tuple[bytes, ...]


def read_signed(headers: Mapping[str, Sequence[str]], now: float) -> Signed:
    """Read the headers of a webhook.

    Args:
        headers: The values of each of `HEADERS`.
        now: The time, in seconds since 1970.

    Raises:
        SignatureError: One is missing or no such value, or the webhook is too old or from the future.
    """
    for name in HEADERS:
        if len(headers[name]) != 1 or not headers[name][0]:
            raise SignatureError(
                f"a webhook has each of the headers {', '.join(HEADERS)} once; {name} is not so"
            )
    webhook_id, timestamp, signatures = (headers[name][0] for name in HEADERS)
    if not _ID.fullmatch(webhook_id):
        raise SignatureError("webhook-id must be 1 to 256 visible ASCII characters")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise SignatureError("webhook-timestamp must be whole seconds since 1970")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise SignatureError(
            "webhook-timestamp is more than 5 minutes from the engine's time; send it again with the time of sending"
        )
    listed = [text.partition(",") for text in signatures.split(" ")[:_MOST_SIGNATURES]]
    # Versions that are not known are for others.
    return Signed(
        webhook_id,
        timestamp,
        tuple(value.encode() for version, _, value in listed if version == "v1"),
    )


def read_secrets(text: str) -> list[bytes]:
    """Return the secrets of a credential, one a line, so that two are valid while one replaces the other.

    What is no secret is left out: not Base64, or too short to be one.
    """
    secrets = []
    for line in text.split()[:MOST_SECRETS]:
        try:
            secret = b64decode(line.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            continue
        if len(secret) >= FEWEST_BYTES:
            secrets.append(secret)
    return secrets


def is_signed(signed: Signed, body: bytes, secrets: Sequence[bytes]) -> bool:
    """Tell whether one of the signatures is that of one of the secrets.

    All of them are compared, each in constant time.
    """
    content = f"{signed.id}.{signed.timestamp}.".encode() + body
    found = False
    for secret in secrets:
        right = b64encode(hmac.digest(secret, content, hashlib.sha256))
        for signature in signed.signatures:
            found |= hmac.compare_digest(right, signature)
    return found
