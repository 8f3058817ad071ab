from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from arcrun_server.sealing.envelope import EnvelopeError, open_envelope, seal_envelope

# Computed by Node's crypto, not by any code of ours.
VECTORS = json.loads(
    (Path(__file__).parents[3] / "conformance/vectors/sealing-v1.json").read_text("utf-8")
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_what_clients_seal_opens_here(vector: dict[str, str]) -> None:
    opened = open_envelope(
        vector["api_key"], vector["credential_name"], vector["encrypted"], vector["iv"]
    )
    assert opened == vector["value"]


@pytest.mark.parametrize(
    "change", ["api_key", "name", "iv", "encrypted", "not base64", "too short"]
)
def test_altered_envelope_does_not_open(change: str) -> None:
    vector = VECTORS[0]
    key, name = vector["api_key"], vector["credential_name"]
    encrypted, iv = vector["encrypted"], vector["iv"]
    if change == "api_key":
        key = "ak_" + "f" * 48
    elif change == "name":
        name += "_2"
    elif change == "iv":
        iv = base64.b64encode(bytes(12)).decode()
    elif change == "encrypted":
        content = bytearray(base64.b64decode(encrypted))
        content[0] ^= 1
        encrypted = base64.b64encode(content).decode()
    elif change == "not base64":
        encrypted = "***"
    else:
        encrypted = base64.b64encode(b"short").decode()
    with pytest.raises(EnvelopeError, match=name) as caught:
        open_envelope(key, name, encrypted, iv)
    assert vector["value"] not in str(caught.value)


@pytest.mark.parametrize("part", ["encrypted", "iv"])
@pytest.mark.parametrize("stray", ["*", " ", "\n", "-"])
def test_base64_with_another_character_in_it_does_not_open(part: str, stray: str) -> None:
    vector = VECTORS[0]
    given = {"encrypted": vector["encrypted"], "iv": vector["iv"]}
    given[part] = given[part][:4] + stray + given[part][4:]
    with pytest.raises(EnvelopeError):
        open_envelope(vector["api_key"], vector["credential_name"], **given)


def test_what_is_sealed_is_text() -> None:
    key = HKDF(hashes.SHA256(), 32, b"arcrun.credentials.v1", b"AES-256-GCM").derive(b"ak_x")
    iv = bytes(12)
    sealed = AESGCM(key).encrypt(iv, b"\xff", b"arcrun.credentials.v1:n")
    with pytest.raises(EnvelopeError):
        open_envelope("ak_x", "n", base64.b64encode(sealed).decode(), base64.b64encode(iv).decode())


def test_what_is_sealed_here_has_an_iv_of_12_bytes_that_is_new_each_time() -> None:
    sealed = [seal_envelope("ak_x", "n", "祕密") for _ in range(3)]
    assert [open_envelope("ak_x", "n", *each) for each in sealed] == ["祕密"] * 3
    ivs = {base64.b64decode(iv, validate=True) for _, iv in sealed}
    assert [len(iv) for iv in ivs] == [12, 12, 12]
