"""Sealing, envelope v1: what `creds.push` sends instead of the value (docs/contract.md#credentials)."""

from __future__ import annotations

import base64
import re
from os import urandom
from typing import TypedDict

from .errors import UnexpectedResponseError
from .secret import Secret
from .shapes import is_text, json_object, text

_SALT = b"arcrun.credentials.v1"
_INFO = b"AES-256-GCM"
_STRONG = r"ak_[0-9A-Fa-f]{32,}"


class _Envelope(TypedDict):
    encrypted: str
    iv: str


class Envelope(_Envelope, total=False):
    """A sealed value, in base64 (standard alphabet, padded), and the service it was stored for."""

    service: str


def is_strong(api_key: str) -> bool:
    """Tell whether a key is hard to guess: `ak_` and at least 32 hex digits."""
    return re.fullmatch(_STRONG, api_key) is not None


def derive_key(api_key: str) -> bytes:
    """Return the AES key: HKDF-SHA256 over the API key."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=32, salt=_SALT, info=_INFO).derive(api_key.encode())


def seal(api_key: str, name: str, value: str, *, iv: bytes | None = None) -> Envelope:
    """Encrypt `value` for the credential `name` under the API key.

    Args:
        api_key: the key that opens it.
        name: part of the encryption: under another name, the envelope does not open.
        value: the secret.
        iv: 12 bytes, for test vectors; by default random ones.

    Example:
        >>> envelope = seal("ak_" + "0" * 48, "notion_token", "ntn_秘密")
        >>> unseal("ak_" + "0" * 48, "notion_token", envelope)
        'ntn_秘密'
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = iv or urandom(12)
    sealed = AESGCM(derive_key(api_key)).encrypt(nonce, value.encode(), _bound_to(name))
    return {
        "encrypted": base64.b64encode(sealed).decode("ascii"),
        "iv": base64.b64encode(nonce).decode("ascii"),
    }


def unseal(api_key: str, name: str, envelope: Envelope) -> str:
    """Open an envelope.

    Raises:
        UnexpectedResponseError: it was sealed under another key or name, or was altered.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        nonce = base64.b64decode(envelope["iv"], validate=True)
        sealed = base64.b64decode(envelope["encrypted"], validate=True)
        plain = AESGCM(derive_key(api_key)).decrypt(nonce, sealed, _bound_to(name)).decode()
    except (InvalidTag, ValueError):
        plain = None
    del api_key  # tools print the locals of frames
    if plain is None:
        raise UnexpectedResponseError(
            f"the credential {name!r} cannot be opened with this API key: it was sealed under another "
            "key or name, or was altered; push it again"
        )
    return plain


def read_envelope(name: str, content: object) -> Envelope | None:
    """Return the envelope in the response to a sealed read, or None if it is something else.

    An engine without the sealed read may serve something else under this path.
    """
    fields = json_object(content) or {}
    sealed, iv = fields.get("encrypted"), fields.get("iv")
    if fields.get("name") != name or not is_text(sealed) or not is_text(iv):
        return None
    service, envelope = text(fields.get("service")), Envelope(encrypted=sealed, iv=iv)
    if service is not None:
        envelope["service"] = service
    return envelope


def credential_body(
    api_key: Secret, name: str, value: Secret, credential_format: str
) -> dict[str, object]:
    """Return the fields of a push that hold the value, in the format chosen."""
    if credential_format == "plain":
        return {"name": name, "value": value.reveal()}
    return {"name": name, **seal(api_key.reveal(), name, value.reveal())}


def _bound_to(name: str) -> bytes:
    return b"arcrun.credentials.v1:" + name.encode()
