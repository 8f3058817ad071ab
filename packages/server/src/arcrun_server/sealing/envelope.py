"""Envelope v1: how a client seals a credential under its API key (docs/contract.md#credentials)."""

from __future__ import annotations

import base64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SALT = b"arcrun.credentials.v1"
INFO = b"AES-256-GCM"


class EnvelopeError(Exception):
    """The envelope does not open: made under another key, moved under another name, or altered."""


def open_envelope(api_key: str, name: str, encrypted: str, iv: str) -> str:
    """Open what a client sealed.

    Args:
        api_key: The key under which it was sealed.
        name: The credential's name, which is bound into the envelope.
        encrypted: Base64 of ciphertext and 16-byte tag.
        iv: Base64 of the 12-byte nonce.

    Returns:
        The secret's plaintext.

    Raises:
        EnvelopeError: It does not open, or what it holds is not UTF-8.
    """
    key = HKDF(algorithm=hashes.SHA256(), length=32, salt=SALT, info=INFO).derive(api_key.encode())
    try:
        plaintext = AESGCM(key).decrypt(
            base64.b64decode(iv, validate=True),
            base64.b64decode(encrypted, validate=True),
            b"arcrun.credentials.v1:" + name.encode(),
        )
        return plaintext.decode()
    except (InvalidTag, ValueError) as error:  # the latter for what is no Base64 or no UTF-8
        raise EnvelopeError(f"credential {name!r} does not open") from error
