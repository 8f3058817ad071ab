"""The JWT of a service account: which tokens are accepted, and which are refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from arcrun_conformance.scenarios.patterns import differences
from arcrun_conformance.scenarios.service_account import key_file, private_key, verified_claims

GOOD = {"iss": "me", "iat": 1_700_000_000, "exp": 1_700_003_600}


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed(claims: Any, alg: str = "RS256", key: Any = None) -> str:
    key = key or load_pem_private_key(private_key().encode(), password=None)
    body = f"{part({'alg': alg})}.{part(claims)}"
    signature = key.sign(body.encode(), PKCS1v15(), SHA256())
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_claims_of_a_token_that_the_account_signed() -> None:
    assert verified_claims(signed(GOOD)) == GOOD
    assert differences({"$jwt": {"iss": "me"}}, signed(GOOD)) == []
    assert differences({"$jwt": {"iss": "you"}}, signed(GOOD), "body") == [
        'claims of body.iss: expected "you", got "me"'
    ]
    assert differences({"$jwt": {"iss": "you"}}, signed(GOOD)) == [
        'claims of the token.iss: expected "you", got "me"'
    ]
    assert differences({"$jwt": {}}, "a.b.c", "body")[0].startswith("body: expected a JWT")


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("", "expected a JWT"),
        (None, "expected a JWT"),
        ("a.b.c", "expected a JWT"),
        (signed(GOOD, key=generate_private_key(65537, 2048)), "not signed with"),
        (signed(GOOD)[:-8] + "AAAAAAAA", "not signed with"),
        (signed(GOOD, alg="none"), "not RS256"),
        (signed({**GOOD, "exp": GOOD["exp"] + 1}), "valid for 3601 s"),
        (signed({**GOOD, "exp": GOOD["iat"]}), "valid for 0 s"),
    ],
)
def test_other_tokens_are_refused_with_the_reason(token: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        verified_claims(token)


def test_the_key_file_contains_the_private_key() -> None:
    account = json.loads(key_file())
    assert account["type"] == "service_account"
    assert account["private_key"] == private_key()
