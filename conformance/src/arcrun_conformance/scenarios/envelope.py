"""Opens and makes envelope v1 of a sealed credential (docs/contract.md#credentials).

It uses the primitives of `cryptography` only, so that it shares no code with an SDK.
"""

from __future__ import annotations

import base64
import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SALT = "arcrun.credentials.v1"
_NONCE_BYTES = 12


def open_envelope(api_key: str, name: str, encrypted: str, iv: str) -> str | None:
    """Return the plaintext of an envelope; `None` if this key and name do not open it.

    Args:
        api_key: The key that it was sealed with.
        name: The credential's name, which is authenticated as well.
        encrypted: Ciphertext and tag, base64.
        iv: Initialisation vector, base64.

    Example:
        >>> open_envelope("ak_0123456789abcdef0123456789abcdef", "E", "zEjR+RbzC1N06PoswZJ99w==",
        ...        "AAAAAAAAAAAAAAAB")
        ''
    """
    try:
        sealed, nonce = (base64.b64decode(text, validate=True) for text in (encrypted, iv))
        return _cipher(api_key).decrypt(nonce, sealed, _bound_to(name)).decode()
    except (ValueError, InvalidTag):
        return None


def seal(api_key: str, name: str, value: str | bytes) -> dict[str, str]:
    """Return the envelope of a value: `encrypted` and `iv`.

    Args:
        api_key: The key to seal under.
        name: The credential's name.
        value: What to seal; bytes, for what is no text.

    Example:
        >>> open_envelope("ak_1", "a", **seal("ak_1", "a", "x"))
        'x'
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    plaintext = value.encode() if isinstance(value, str) else value
    sealed = _cipher(api_key).encrypt(nonce, plaintext, _bound_to(name))
    return {"encrypted": base64.b64encode(sealed).decode(), "iv": base64.b64encode(nonce).decode()}


def _cipher(api_key: str) -> AESGCM:
    key = HKDF(SHA256(), 32, salt=SALT.encode(), info=b"AES-256-GCM").derive(api_key.encode())
    return AESGCM(key)


def _bound_to(name: str) -> bytes:
    return f"{SALT}:{name}".encode()


def differences(argument: dict[str, str], value: Any, path: str) -> list[str]:
    """Return how an object `{name, encrypted, iv}` differs from a sealed value: the operator `$opens`.

    Args:
        argument: `key`, and `value`: the expected plaintext.
        value: The object.
        path: The path of the object, for the messages.
    """
    at = f"{path}: " if path else ""
    try:
        plain = open_envelope(argument["key"], value["name"], value["encrypted"], value["iv"])
    except (KeyError, TypeError):
        return [f"{at}expected an object with name, encrypted and iv"]
    if plain is None:
        return [f"{at}the key and the name {value['name']} do not open the envelope"]
    nonce = base64.b64decode(value["iv"])
    if len(nonce) != _NONCE_BYTES:  # AES-GCM opens with any, but clients need not
        return [f"{at}the iv has {len(nonce)} bytes, not {_NONCE_BYTES}"]
    return [] if plain == argument["value"] else [f"{at}the envelope contains another value"]
