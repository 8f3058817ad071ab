"""The server key: one file outside the database that opens the secrets in it (docs/contract.md#credentials)."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from arcrun_server.durable_files import publish
from arcrun_server.errors import StartupError

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "server.key"
_SHAPE = re.compile(rb"arcrun-server-key-v1:([0-9a-f]{64})\n?")
_NONCE_BYTES = 12


class ServerKey:
    """Looks up accounts by their API key, and seals secrets for the database.

    Each use has a key of its own, derived with HKDF-SHA256, so that none reveals another.

    Args:
        root: 32 secret bytes.

    Example:
        >>> key = ServerKey(bytes(32))
        >>> key.open(key.seal(b"secret", "credential:a"), "credential:a")
        b'secret'
    """

    __slots__ = ("_at_rest", "_check", "_fingerprint", "_lookup", "_nonces")

    def __init__(self, root: bytes) -> None:
        self._lookup = _derive(root, b"look-up of API keys")
        self._at_rest = AESGCM(_derive(root, b"encryption at rest"))
        self._check = _derive(root, b"check value")
        self._fingerprint = _derive(root, b"fingerprints of requests")
        self._nonces = _derive(root, b"nonces of what is sealed alike")

    def __repr__(self) -> str:
        return "ServerKey(…)"

    def lookup(self, api_key: str) -> bytes:
        """Return the HMAC-SHA256 by which an account's row is found."""
        return hmac.digest(self._lookup, api_key.encode(), hashlib.sha256)

    def fingerprint(self, content: bytes) -> bytes:
        """Return an HMAC-SHA256 that differs for different contents, and reveals nothing without this key."""
        return hmac.digest(self._fingerprint, content, hashlib.sha256)

    def check_value(self) -> bytes:
        """Return what the database stores to detect that it is opened with another server key."""
        return hashlib.sha256(self._check).digest()

    def seal(self, plaintext: bytes, location: str) -> bytes:
        """Encrypt for the database.

        Args:
            plaintext: What is to be sealed.
            location: Where it will be stored, as `credential:<account>:<name>`; it opens nowhere else.

        Returns:
            12-byte nonce, ciphertext, 16-byte tag.
        """
        return self._seal(secrets.token_bytes(_NONCE_BYTES), plaintext, location)

    def seal_alike(self, plaintext: bytes, location: str) -> bytes:
        """Encrypt so that the same text for the same location gives the same result; for what is no secret by itself."""
        digest = hmac.digest(self._nonces, location.encode() + b"\x00" + plaintext, hashlib.sha256)
        return self._seal(digest[:_NONCE_BYTES], plaintext, location)

    def _seal(self, nonce: bytes, plaintext: bytes, location: str) -> bytes:
        return nonce + self._at_rest.encrypt(nonce, plaintext, location.encode())

    def open(self, sealed: bytes, location: str) -> bytes:
        """Decrypt what `seal` made for the same location.

        Raises:
            ValueError: It was made for another location or by another key, or it was altered.
        """
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._at_rest.decrypt(nonce, ciphertext, location.encode())
        except (InvalidTag, ValueError):  # the latter for what is too short to hold a nonce
            raise ValueError("a sealed value in the database does not open") from None


def load_server_key(path: Path) -> ServerKey:
    """Read the server key.

    Raises:
        StartupError: It can't be read, others may read it, or it is not a server key.
    """
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except OSError as error:
        raise StartupError(f"cannot read the server key {path}: {error.strerror}") from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise StartupError(
            f"the server key {path} can be used by others (mode {stat.S_IMODE(mode):04o}).\n"
            f"It opens every stored secret. Run: chmod 600 {path}"
        )
    match = _SHAPE.fullmatch(content)
    if match is None:
        raise StartupError(
            f"{path} is not a server key: it must hold one line, arcrun-server-key-v1: and 64 hex digits.\n"
            "Restore it from your backup; without it the stored secrets can't be opened."
        )
    return ServerKey(bytes.fromhex(match[1].decode()))


def create_server_key(path: Path) -> ServerKey:
    """Make a new server key, readable by its owner only; if another process was first, use that one.

    The file appears under its name only when it is complete and on disk.

    Raises:
        StartupError: It can't be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex()}")
    try:
        _write_durably(draft, f"arcrun-server-key-v1:{secrets.token_hex(32)}\n".encode())
        try:
            publish(draft, path)  # or use the key of the process that was first
        finally:
            draft.unlink()
    except OSError as error:
        raise StartupError(f"cannot write the server key {path}: {error.strerror}") from None
    return load_server_key(path)


def _write_durably(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _derive(root: bytes, purpose: bytes) -> bytes:
    return HKDF(
        algorithm=hashes.SHA256(), length=32, salt=b"arcrun.server-key.v1", info=purpose
    ).derive(root)
