"""A service account of the test's own, and the check of the JWT that proves it (CONTRACT.md §4)."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

EMAIL = "conformance@arcrun-test.iam.gserviceaccount.com"
_LONGEST = 3600  # seconds between iat and exp


@cache
def _key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@cache
def private_key() -> str:
    """The account's private key in PEM; made anew for each run of the runner, it opens nothing."""
    return _key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@cache
def service_account() -> str:
    """The text of the account's key file."""
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "arcrun-test",
            "private_key_id": "k1",
            "private_key": private_key(),
            "client_email": EMAIL,
            "token_uri": "https://oauth2.googleapis.com/token",
        }
    )


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT that this account has signed with RS256.

    Raises:
        ValueError: It is none, or its signature is not the account's.
    """
    try:
        head, claims, signature = token.split(".")
        header = json.loads(_bytes(head))
        _key().public_key().verify(
            _bytes(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256()
        )
        found: dict[str, Any] = json.loads(_bytes(claims))
    except InvalidSignature:
        raise ValueError("the signature is not the service account's") from None
    except (ValueError, AttributeError) as error:
        raise ValueError(f"is no JWT: {error}") from None
    if header.get("alg") != "RS256":
        raise ValueError(f"its alg is {header.get('alg')!r}, not RS256")
    lifetime = found.get("exp", 0) - found.get("iat", 0)
    if not 0 < lifetime <= _LONGEST:
        raise ValueError(f"it lives {lifetime} s, more than {_LONGEST} or not at all")
    return found


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
