from __future__ import annotations

import hashlib
import hmac
import re
import stat
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from arcrun_server.accounts.keys import new_key
from arcrun_server.errors import StartupError
from arcrun_server.sealing.server_key import ServerKey, create_server_key, load_server_key
from arcrun_server.store import Store

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX")


def test_new_key_is_complete_and_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "server.key"
    create_server_key(path)
    assert re.fullmatch(r"arcrun-server-key-v1:[0-9a-f]{64}\n", path.read_text())
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["server.key"]


def test_creating_never_replaces_a_key(tmp_path: Path) -> None:
    path = tmp_path / "server.key"
    first = create_server_key(path)
    content = path.read_bytes()
    second = create_server_key(path)
    assert path.read_bytes() == content
    assert second.open(first.seal(b"x", "p"), "p") == b"x"


def test_two_that_create_at_once_get_the_same_key(tmp_path: Path) -> None:
    keys: list[ServerKey] = []
    start = threading.Barrier(8)

    def create() -> None:
        start.wait()
        keys.append(create_server_key(tmp_path / "server.key"))

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({key.check_value() for key in keys}) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["server.key"]


def hkdf(root: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 of RFC 5869 for 32 bytes, written out."""
    extracted = hmac.digest(b"arcrun.server-key.v1", root, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


@pytest.mark.parametrize("way", ["seal", "seal_alike"])
def test_what_databases_hold_can_be_opened_without_this_program(way: str) -> None:
    root = bytes(range(32))
    sealed = getattr(ServerKey(root), way)(b"text", "credential:a")
    cipher = AESGCM(hkdf(root, b"encryption at rest"))
    assert len(sealed) == 12 + 4 + 16
    assert cipher.decrypt(sealed[:12], sealed[12:], b"credential:a") == b"text"


def test_each_use_of_the_key_is_an_hmac_under_a_key_of_its_own() -> None:
    root = bytes(range(32))
    key = ServerKey(root)
    assert key.lookup("ak_x") == hmac.digest(hkdf(root, b"look-up of API keys"), b"ak_x", "sha256")
    assert key.fingerprint(b"x") == hmac.digest(
        hkdf(root, b"fingerprints of requests"), b"x", "sha256"
    )
    assert key.check_value() == hashlib.sha256(hkdf(root, b"check value")).digest()
    nonce = hmac.digest(hkdf(root, b"nonces of what is sealed alike"), b"p\x00x", "sha256")[:12]
    assert key.seal_alike(b"x", "p")[:12] == nonce


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o620, 0o610, 0o601])
def test_key_that_others_may_use_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "server.key"
    create_server_key(path)
    path.chmod(mode)
    with pytest.raises(StartupError, match=rf"mode {mode:04o}[\s\S]*chmod 600 {path}"):
        load_server_key(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"arcrun-server-key-v1:abc\n",
        b"arcrun-server-key-v1:" + b"G" * 64,
        b"\xff" * 99,
    ],
)
def test_file_of_another_shape_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "server.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(StartupError, match="is not a server key"):
        load_server_key(path)
    assert path.read_bytes() == content


def test_database_without_its_key_is_refused_and_no_new_key_is_made(
    tmp_path: Path, database_url: str | None
) -> None:
    Store(tmp_path, database_url).close()
    (tmp_path / "server.key").unlink()
    with pytest.raises(StartupError, match=r"server key .* is missing"):
        Store(tmp_path, database_url)
    assert not (tmp_path / "server.key").exists()


def test_database_with_another_key_is_refused(tmp_path: Path, database_url: str | None) -> None:
    Store(tmp_path / "a", database_url).close()
    Store(tmp_path / "b").close()
    (tmp_path / "b" / "server.key").replace(tmp_path / "a" / "server.key")
    with pytest.raises(StartupError, match="not the server key under which"):
        Store(tmp_path / "a", database_url)


def test_what_is_sealed_opens_only_at_its_location_and_under_its_key() -> None:
    key = ServerKey(bytes(32))
    sealed = key.seal("密鑰".encode(), "credential:a:b")
    assert key.open(sealed, "credential:a:b").decode() == "密鑰"
    assert key.seal("密鑰".encode(), "credential:a:b") != sealed
    for opener, location, content in [
        (key, "credential:a:c", sealed),
        (ServerKey(b"\x01" * 32), "credential:a:b", sealed),
        (key, "credential:a:b", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (key, "credential:a:b", b""),
    ]:
        with pytest.raises(ValueError, match="does not open"):
            opener.open(content, location)


def test_key_does_not_show_itself() -> None:
    key = ServerKey(bytes(range(32)))
    assert repr(key) == "ServerKey(…)"
    assert bytes(range(32)).hex() not in str(vars(type(key)))


async def test_account_is_found_by_its_key_and_the_key_can_be_shown_again(store: Store) -> None:
    key, other = new_key(), new_key()
    store.accounts.create(key, "laptop")
    account = await store.accounts.of_key(key)
    assert account is not None
    assert await store.accounts.of_key(other) is None
    assert store.accounts.keys()[0].label == "laptop"
    assert await store.accounts.keys_of(account) == [key]
    [entry] = store.accounts.keys()
    assert entry.prefix == key[:9]
    assert store.accounts.revoke(entry.id)
    assert await store.accounts.of_key(key) is None
    assert store.accounts.keys()[0].state == "revoked"
    revoked_at = store.accounts.keys()[0].revoked_at
    assert store.accounts.revoke(entry.id), "a second time changes nothing"
    assert store.accounts.keys()[0].revoked_at == revoked_at
    assert not store.accounts.revoke("key_nowhere")


def test_key_that_can_not_be_read_or_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "server.key").mkdir()
    with pytest.raises(StartupError, match="cannot read the server key"):
        load_server_key(tmp_path / "server.key")
    with pytest.raises(StartupError, match="cannot write the server key"):
        create_server_key(tmp_path / "nowhere" / "server.key")
