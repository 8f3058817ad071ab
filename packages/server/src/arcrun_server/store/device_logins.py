"""Devices that ask to be logged in (RFC 8628), by a code that a person types in somewhere else."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from arcrun_server import clock
from arcrun_server.store.schema import device_logins

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from arcrun_server.sealing.server_key import ServerKey
    from arcrun_server.store.database import Database
    from arcrun_server.store.sessions import Session

DEVICE_SECONDS = 10 * 60
INTERVAL = 5
# By so much a device that asks too often has to wait longer (RFC 8628, section 3.5).
SLOWER = 5
# So long after its end a code is remembered as expired; later it is unknown.
_REMEMBERED = 60 * 60
# RFC 8628, section 6.1: no vowels, so no words, and nothing that looks alike.
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
CODE_LENGTH = 8
PENDING, APPROVED, DENIED = "pending", "approved", "denied"
_TRIES = 5
_table = device_logins.c


@dataclass(frozen=True)
class DeviceCodes:
    """What a device gets when it begins.

    Args:
        device_code: With it, the device asks whether it is logged in.
        user_code: The person types it in, as `BCDF-GHJK`.
    """

    device_code: str = field(repr=False)
    user_code: str = field(repr=False)


@dataclass(frozen=True)
class DeviceLogin:
    """A device that waits, as it is shown to the person.

    Args:
        client_name: What it calls itself.
        address: From where it asked, as the engine saw it.
        created_at: When, in Unix seconds.
    """

    client_name: str
    address: str
    created_at: int


@dataclass(frozen=True)
class Approval:
    """What a person has confirmed.

    Args:
        account: The account to which the device is logged in.
        provider: Where the person has logged in.
    """

    account: str
    provider: str


class DeviceLoginError(Exception):
    """The device can't be logged in, or not yet.

    Args:
        code: The error of RFC 8628 (section 3.5) or RFC 6749 (section 5.2).
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class DeviceLogins:
    """The devices of one database.

    Args:
        database: Where they are; it knows hashes of their codes only.
        server_key: Hashes the codes that people type: they are too short to be hashed without a secret.
    """

    def __init__(self, database: Database, server_key: ServerKey) -> None:
        self._database = database
        self._server_key = server_key

    async def begin(self, client_name: str, address: str) -> DeviceCodes:
        """Let a device begin."""
        for _ in range(_TRIES - 1):
            try:
                return await self._begin(client_name, address)
            except IntegrityError:  # the user code is another device's
                continue
        return await self._begin(client_name, address)

    async def _begin(self, client_name: str, address: str) -> DeviceCodes:
        now = int(clock.now())
        codes = DeviceCodes(secrets.token_urlsafe(32), new_user_code())
        row = {
            "device_code": _hash(codes.device_code),
            "user_code": self._lookup(codes.user_code),
            "client_name": client_name,
            "address": address,
            "status": PENDING,
            "interval": INTERVAL,
            "created_at": now,
            "expires_at": now + DEVICE_SECONDS,
        }

        def change(connection: Connection) -> None:
            connection.execute(delete(device_logins).where(_table.expires_at <= now - _REMEMBERED))
            connection.execute(insert(device_logins).values(row))

        await self._database.write(change)
        return codes

    async def find(self, user_code: str) -> DeviceLogin | None:
        """Return the device that waits for this code, or None."""
        statement = select(_table.client_name, _table.address, _table.created_at).where(
            *self._waiting(user_code)
        )
        row = await self._database.read(lambda connection: connection.execute(statement).first())
        return None if row is None else DeviceLogin(*row)

    async def decide(self, user_code: str, session: Session | None) -> bool:
        """Log a device in as a person, or refuse it (None); return False if none waits for this code any more."""
        if session is None:
            changes = {"status": DENIED}
        else:
            approved = {"account": session.account, "provider": session.provider}
            changes = {"status": APPROVED, **approved}
        statement = update(device_logins).where(*self._waiting(user_code)).values(changes)
        return await self._database.write(
            lambda connection: connection.execute(statement).rowcount == 1
        )

    async def poll(self, device_code: str) -> Approval:
        """Return to which account a device was logged in; once.

        Raises:
            DeviceLoginError: It was not, or not yet.
        """
        this = _table.device_code == _hash(device_code)
        statement = select(device_logins).where(this).with_for_update()

        def change(connection: Connection) -> Approval | DeviceLoginError:
            row = connection.execute(statement).first()
            if row is None:
                return DeviceLoginError("invalid_grant")
            changes, outcome = _polled(row)
            if changes is None:
                connection.execute(delete(device_logins).where(this))
            elif changes:
                connection.execute(update(device_logins).where(this).values(changes))
            return outcome

        outcome = await self._database.write(change)
        if isinstance(outcome, DeviceLoginError):
            raise outcome
        return outcome

    def _waiting(self, user_code: str) -> tuple[Any, ...]:
        return (
            _table.user_code == self._lookup(user_code),
            _table.status == PENDING,
            _table.expires_at > int(clock.now()),
        )

    def _lookup(self, user_code: str) -> bytes:
        return self._server_key.fingerprint(f"user code:{normal_user_code(user_code)}".encode())


def _polled(row: Any) -> tuple[dict[str, Any] | None, Approval | DeviceLoginError]:
    """Return what changes when a device asks (None: it is forgotten), and what it gets."""
    now_ms = round(clock.now() * 1000)
    if row.expires_at * 1000 <= now_ms:
        return {}, DeviceLoginError("expired_token")
    if row.polled_at_ms is not None and now_ms - row.polled_at_ms < row.interval * 1000:
        slower = {"polled_at_ms": now_ms, "interval": row.interval + SLOWER}
        return slower, DeviceLoginError("slow_down")
    if row.status == DENIED:
        return None, DeviceLoginError("access_denied")
    if row.status == APPROVED:
        return None, Approval(row.account, row.provider)
    return {"polled_at_ms": now_ms}, DeviceLoginError("authorization_pending")


def new_user_code() -> str:
    """Return a code for people, as `BCDF-GHJK`: one of 25,600,000,000."""
    letters = [secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)]
    half = CODE_LENGTH // 2
    return f"{''.join(letters[:half])}-{''.join(letters[half:])}"


def normal_user_code(typed: str) -> str:
    """Return a code as it is compared: people leave out the hyphen, add spaces, and use small letters.

    Example:
        >>> normal_user_code("bcdf ghjk")
        'BCDFGHJK'
    """
    return "".join(character for character in typed.upper() if character in ALPHABET)


def _hash(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "replace")).digest()
