"""Seal as a client does, with the primitives that docs/contract.md#credentials names, and not by the engine's code."""

from __future__ import annotations

import base64
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def seal(api_key: str, name: str, value: str) -> dict[str, str]:
    """Return `encrypted` and `iv` of a secret."""
    derivation = HKDF(
        algorithm=hashes.SHA256(), length=32, salt=b"arcrun.credentials.v1", info=b"AES-256-GCM"
    )
    iv = os.urandom(12)
    associated = f"arcrun.credentials.v1:{name}".encode()
    sealed = AESGCM(derivation.derive(api_key.encode())).encrypt(iv, value.encode(), associated)
    return {"encrypted": base64.b64encode(sealed).decode(), "iv": base64.b64encode(iv).decode()}
