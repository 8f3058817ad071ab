"""Envelope v1: how a client seals a credential under its API key (docs/contract.md#credentials)."""

from __future__ import annotations

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SALT = b"arcrun.credentials.v1"
INFO = b"AES-256-GCM"
_IV_BYTES = 12


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
    try:
        plaintext = _cipher(api_key).decrypt(
            base64.b64decode(iv, validate=True),
            base64.b64decode(encrypted, validate=True),
            _bound_to(name),
        )
        return plaintext.decode()
    except (InvalidTag, ValueError) as error:  # the latter for what is no Base64 or no UTF-8
        raise EnvelopeError(f"credential {name!r} does not open") from error


def seal_envelope(api_key: str, name: str, plaintext: str) -> tuple[str, str]:
    """Seal a secret as a client does, for the account's next key.

    Args:
        api_key: The key under which it is sealed.
        name: The credential's name, which is bound into the envelope.
        plaintext: The secret.

    Returns:
        `encrypted` and `iv`, as `open_envelope` takes them.

    Example:
        >>> open_envelope("ak_1", "token", *seal_envelope("ak_1", "token", "secret"))
        'secret'
    """
    iv = secrets.token_bytes(_IV_BYTES)
    ciphertext = _cipher(api_key).encrypt(iv, plaintext.encode(), _bound_to(name))
    return base64.b64encode(ciphertext).decode(), base64.b64encode(iv).decode()


def _cipher(api_key: str) -> AESGCM:
    derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=SALT, info=INFO)
    return AESGCM(derivation.derive(api_key.encode()))


def _bound_to(name: str) -> bytes:
    return b"arcrun.credentials.v1:" + name.encode()
