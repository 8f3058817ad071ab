"""Envelope v1 of a sealed credential (CONTRACT.md §3), opened by `cryptography`'s primitives alone."""

from __future__ import annotations

import base64
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SALT = "arcrun.credentials.v1"


def opened(api_key: str, name: str, encrypted: str, iv: str) -> str | None:
    """The plaintext of an envelope; `None` if it does not open under this key and name.

    Args:
        api_key: The key that it was sealed under.
        name: The credential's name, which is authenticated with it.
        encrypted: Ciphertext and tag, base64.
        iv: Initialisation vector, base64.

    Example:
        >>> opened("ak_0123456789abcdef0123456789abcdef", "E", "zEjR+RbzC1N06PoswZJ99w==",
        ...        "AAAAAAAAAAAAAAAB")
        ''
    """
    key = HKDF(SHA256(), 32, salt=SALT.encode(), info=b"AES-256-GCM").derive(api_key.encode())
    try:
        sealed, nonce = (base64.b64decode(text, validate=True) for text in (encrypted, iv))
        return AESGCM(key).decrypt(nonce, sealed, f"{SALT}:{name}".encode()).decode()
    except (ValueError, InvalidTag):
        return None


def differences(argument: dict[str, str], value: Any, path: str) -> list[str]:
    """How an object `{name, encrypted, iv}` differs from a sealed value; the operator `$opens`.

    Args:
        argument: `key`, and `value`: what must come out.
        value: What was there.
        path: Where it stands, for the texts.
    """
    at = f"{path}: " if path else ""
    try:
        plain = opened(argument["key"], value["name"], value["encrypted"], value["iv"])
    except (KeyError, TypeError):
        return [f"{at}expected an object with name, encrypted and iv"]
    if plain is None:
        return [f"{at}the envelope does not open under the key and the name {value['name']!r}"]
    return [] if plain == argument["value"] else [f"{at}the envelope holds another value"]
