"""A service account for tests, and the verification of its JWTs (docs/contract.md#auth-recipes)."""

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
_MAX_LIFETIME = 3600  # seconds between iat and exp


@cache
def _key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


@cache
def private_key() -> str:
    """Return the account's private key in PEM; it is generated for each process."""
    return _key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@cache
def key_file() -> str:
    """Return the content of the account's key file."""
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


def verified_claims(token: str) -> dict[str, Any]:
    """Return the claims of a JWT that this account has signed with RS256.

    Raises:
        ValueError: It is not a JWT, is not signed by the account, or is valid for too long.
    """
    try:
        head, claims, signature = token.split(".")
        header = json.loads(_bytes(head))
        _key().public_key().verify(
            _bytes(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256()
        )
        found: dict[str, Any] = json.loads(_bytes(claims))
    except InvalidSignature:
        raise ValueError("the JWT is not signed with the service account's key") from None
    except (ValueError, AttributeError) as error:
        raise ValueError(f"expected a JWT: {error}") from None
    if header.get("alg") != "RS256":
        raise ValueError(f"the JWT's alg is {header.get('alg')}, not RS256")
    lifetime = found.get("exp", 0) - found.get("iat", 0)
    if not 0 < lifetime <= _MAX_LIFETIME:
        raise ValueError(f"the JWT is valid for {lifetime} s, not for 1 to {_MAX_LIFETIME} s")
    return found


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
