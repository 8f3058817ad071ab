"""Envelope v1 is what docs/contract.md says: opened here with cryptography's primitives alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import traceback
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from arcrun import ArcrunWarning, SealedCredentialsUnsupportedError, UnexpectedResponseError
from arcrun._core.sealing import is_strong, read_envelope, seal, unseal

KEY = "ak_" + "0123456789abcdef" * 3
names = st.from_regex(r"[A-Za-z0-9_]{1,40}", fullmatch=True)
values = st.text(min_size=1, max_size=300)
VECTORS = Path(__file__).parents[3] / "conformance/vectors/sealing-v1.json"


def opened(api_key: str, name: str, body: dict[str, str]) -> str:
    """Open an envelope without the SDK: HKDF by hand (RFC 5869), AES-GCM by the bare cipher."""
    extracted = hmac.new(b"arcrun.credentials.v1", api_key.encode(), hashlib.sha256).digest()
    key = hmac.new(extracted, b"AES-256-GCM\x01", hashlib.sha256).digest()
    sealed = base64.b64decode(body["encrypted"], validate=True)
    iv = base64.b64decode(body["iv"], validate=True)
    assert len(iv) == 12
    cipher = Cipher(algorithms.AES(key), modes.GCM(iv, sealed[-16:])).decryptor()
    cipher.authenticate_additional_data(f"arcrun.credentials.v1:{name}".encode())
    return (cipher.update(sealed[:-16]) + cipher.finalize()).decode()


def test_what_is_sent_can_be_opened_with_primitives_alone(kind, server) -> None:
    server.on("POST", "/credentials", {"success": True, "name": "tok"})
    client = kind.client(server.url, KEY)
    kind.run(client.creds.push("tok", "ntn_秘密"))
    (request,) = server.to("/credentials")
    assert set(request.json) == {"name", "encrypted", "iv"}
    assert opened(KEY, "tok", request.json) == "ntn_秘密"
    assert "ntn_" not in request.body.decode()


def test_each_push_has_a_fresh_iv(kind, server) -> None:
    server.on("POST", "/credentials", {"success": True, "name": "tok"})
    client = kind.client(server.url, KEY)
    for _ in range(3):
        kind.run(client.creds.push("tok", "same"))
    sent = [request.json for request in server.to("/credentials")]
    assert len({body["iv"] for body in sent}) == 3
    assert len({body["encrypted"] for body in sent}) == 3


@given(names, values)
def test_any_value_can_be_opened_with_primitives_alone(name: str, value: str) -> None:
    assert opened(KEY, name, dict(seal(KEY, name, value))) == value


@given(names, values)
def test_unseal_reverses_seal(name: str, value: str) -> None:
    assert unseal(KEY, name, seal(KEY, name, value)) == value


@given(names, names, values)
def test_an_envelope_opens_only_under_its_own_name(name: str, other: str, value: str) -> None:
    envelope = seal(KEY, name, value)
    if name != other:
        with pytest.raises(UnexpectedResponseError, match="push it again"):
            unseal(KEY, other, envelope)
        with pytest.raises(InvalidTag):
            opened(KEY, other, dict(envelope))


@given(st.binary(max_size=80), st.binary(max_size=20))
def test_random_bytes_do_not_open(sealed: bytes, iv: bytes) -> None:
    envelope = {
        "encrypted": base64.b64encode(sealed).decode(),
        "iv": base64.b64encode(iv).decode(),
    }
    with pytest.raises(UnexpectedResponseError):
        unseal(KEY, "tok", envelope)


def test_malformed_base64_does_not_open() -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        unseal(KEY, "tok", {"encrypted": "no base64!", "iv": "AAAAAAAAAAAAAAAA"})
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert KEY not in "".join(shown.format())


def test_shared_vectors() -> None:
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    assert len(vectors) >= 2
    for vector in vectors:
        iv = base64.b64decode(vector["iv"])
        sealed = seal(vector["api_key"], vector["credential_name"], vector["value"], iv=iv)
        assert sealed == {"encrypted": vector["encrypted"], "iv": vector["iv"]}, vector["name"]


@pytest.mark.parametrize(
    ("key", "strong"),
    [
        ("ak_" + "a" * 32, True),
        ("ak_" + "A0" * 24, True),
        ("ak_" + "a" * 31, False),
        ("ak_" + "g" * 48, False),
        ("my-tenant", False),
        ("ak_" + "a" * 48 + "\n", False),
    ],
)
def test_strength_of_api_keys(key: str, strong: bool) -> None:
    assert is_strong(key) is strong


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {"success": True, "credentials": []},  # what the deployed engine returns for `catalog`
        {"name": "other", "encrypted": "AA==", "iv": "AA=="},
        {"name": "tok", "encrypted": "AA=="},
        {"name": "tok", "encrypted": "", "iv": "AA=="},
        {"name": "tok", "encrypted": 1, "iv": "AA=="},
    ],
)
def test_a_response_of_another_shape_is_not_an_envelope(content: object) -> None:
    assert read_envelope("tok", content) is None


def test_a_weak_key_causes_one_warning(kind, server) -> None:
    server.on("POST", "/credentials", {"success": True, "name": "tok"})
    client = kind.client(server.url, "my-tenant")
    with pytest.warns(ArcrunWarning, match="32 or more hex digits") as seen:
        kind.run(client.creds.push("tok", "value"))
    kind.run(client.creds.push("tok", "value"))  # a second warning would be an error here
    assert len(server.requests) == 2
    assert "my-tenant" not in str(seen[0].message)


def test_an_engine_without_sealing_names_the_opt_in(kind, server, canned) -> None:
    server.on("POST", "/credentials", canned(400, {"error": "value 必填（字串）"}))
    client = kind.client(server.url)
    with pytest.raises(SealedCredentialsUnsupportedError, match='credential_format="plain"') as e:
        kind.run(client.creds.push("tok", "value"))
    assert (e.value.status, e.value.message) == (400, "value 必填（字串）")
    assert len(server.requests) == 1


def test_plain_values_are_sent_only_on_opt_in(kind, server) -> None:
    server.on("POST", "/credentials", {"success": True, "name": "tok"})
    client = kind.client(server.url, credential_format="plain")
    kind.run(client.creds.push("tok", "秘密", service="notion", sensitivity="high"))
    (request,) = server.requests
    assert request.json == {
        "name": "tok",
        "value": "秘密",
        "service": "notion",
        "sensitivity": "high",
    }


def test_a_weak_key_causes_no_warning_for_plain_values(kind, server) -> None:
    server.on("POST", "/credentials", {"success": True, "name": "tok"})
    client = kind.client(server.url, "my-tenant", credential_format="plain")
    kind.run(client.creds.push("tok", "value"))
    assert len(server.requests) == 1
