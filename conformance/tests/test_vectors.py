"""The vectors: sealed envelopes open with `cryptography`'s primitives alone, and Node computes all of them again."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VECTORS = Path(__file__).parents[1] / "vectors"
SEALING = json.loads((VECTORS / "sealing-v1.json").read_text("utf-8"))


def key_of(api_key: str) -> bytes:
    hkdf = HKDF(SHA256(), 32, salt=b"arcrun.credentials.v1", info=b"AES-256-GCM")
    return hkdf.derive(api_key.encode())


@pytest.mark.parametrize("vector", SEALING, ids=lambda vector: vector["name"])
def test_vector_opens_and_seals_to_the_same_bytes(vector: dict[str, str]) -> None:
    aead = AESGCM(key_of(vector["api_key"]))
    iv = base64.b64decode(vector["iv"], validate=True)
    sealed = base64.b64decode(vector["encrypted"], validate=True)
    aad = f"arcrun.credentials.v1:{vector['credential_name']}".encode()

    assert aead.decrypt(iv, sealed, aad).decode() == vector["value"]
    assert aead.encrypt(iv, vector["value"].encode(), aad) == sealed


@pytest.mark.parametrize("vector", SEALING, ids=lambda vector: vector["name"])
def test_vector_does_not_open_under_another_name(vector: dict[str, str]) -> None:
    aead = AESGCM(key_of(vector["api_key"]))
    with pytest.raises(InvalidTag):
        aead.decrypt(
            base64.b64decode(vector["iv"]),
            base64.b64decode(vector["encrypted"]),
            b"arcrun.credentials.v1:other",
        )


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node to compute the vectors again")
@pytest.mark.parametrize(
    ("script", "file"),
    [
        ("make_sealing_v1.mjs", "sealing-v1.json"),
        ("make_prompt_injection.mjs", "prompt_injection.json"),
    ],
)
def test_the_committed_vectors_are_what_the_script_computes(script: str, file: str) -> None:
    computed = subprocess.run(["node", str(VECTORS / script)], capture_output=True, check=True)
    assert computed.stdout == (VECTORS / file).read_bytes()
