"""Credentials: stored sealed, listed without values."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from arcrun._concurrency import async_in_thread
from arcrun._core import operations
from arcrun._core.errors import ArcrunWarning, InvalidArgumentError
from arcrun._core.names import check_service, credential_problem
from arcrun._core.secret import Secret
from arcrun._core.shapes import text
from arcrun._core.types import Credential, DeletedCredential, PushedCredential, Sensitivity

from .connection import AsyncConnection


class AsyncCreds:
    """`client.creds`: the credentials of your API key."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def push(
        self,
        name: str,
        value: str,
        *,
        service: str | None = None,
        sensitivity: Sensitivity | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> PushedCredential:
        """Store a credential, or replace it. It is encrypted before it leaves this process.

        Args:
            name: letters A-Z a-z, digits and `_`.
            value: the secret; any non-empty text.
            service: the service that it belongs to; without it, the deployed engine clears it.
            sensitivity: `standard` or `high`.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            InvalidArgumentError: the name or the value is not valid; nothing was sent.
            SealedCredentialsUnsupportedError: the engine accepts plain credentials only.
            APIStatusError: the engine refused.

        Example:
            >>> result = await client.creds.push("notion_token", "ntn_秘密")
            >>> result["name"]
            'notion_token'
        """
        hidden = Secret.of(value)
        del value  # tools print the locals of frames
        problem = credential_problem(name)
        if problem:
            del name  # it may be the secret, in the place of the name
            raise InvalidArgumentError(problem)
        if service is not None:
            check_service(service)
        if hidden is None:
            raise InvalidArgumentError(f"the value of {name!r} must be non-empty text")
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        return await push_secret(
            connection,
            name,
            hidden,
            service=service,
            sensitivity=sensitivity,
        )

    async def list(
        self,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> list[Credential]:
        """List all credentials, without values. The deployed engine lists at most 200.

        Args:
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            APIStatusError: the engine refused.

        Example:
            >>> found = await client.creds.list()
            >>> [credential["name"] for credential in found]
            ['notion_token']
        """
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        found = await connection.send_all(operations.list_credentials)
        names = [name for item in found if (name := text(item.get("name")))]
        connection.memory.names.update({name.lower(): name for name in names})
        return found

    async def delete(
        self,
        name: str,
        *,
        timeout: float | None = None,
        max_retries: int | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> DeletedCredential:
        """Delete a credential.

        Args:
            name: the credential's name.
            timeout: seconds for each attempt; None for the client's own.
            max_retries: how often this call is retried, where that is safe; None for the client's own.
            extra_headers: sent with this call, over the client's own.

        Raises:
            NotFoundError: there is no such credential (the deployed engine reports success).

        Example:
            >>> result = await client.creds.delete("notion_token")
            >>> result["name"]
            'notion_token'
        """
        problem = credential_problem(name)
        if problem:
            del name  # it may be a secret, in the place of the name
            raise InvalidArgumentError(problem)
        connection = self._connection.for_call(timeout, max_retries, extra_headers)
        result = await connection.send(operations.delete_credential(name))
        connection.memory.names.pop(name.lower(), None)
        await _forget(connection, name)
        return result


async def push_secret(
    connection: AsyncConnection,
    name: str,
    value: Secret,
    *,
    service: str | None,
    sensitivity: Sensitivity | None = None,
) -> PushedCredential:
    """Store a credential, and forget the remembered value that it replaces."""
    request = operations.push_credential(
        connection.settings, connection.key(), name, value, service=service, sensitivity=sensitivity
    )
    _warn(connection, name)
    result = await connection.send(request)
    connection.memory.names[name.lower()] = name
    await _forget(connection, name)
    return result


async def _forget(connection: AsyncConnection, name: str) -> None:
    """Forget a remembered value, which is no longer the stored one."""
    connection.memory.secrets.pop(name, None)
    store = connection.store
    if store is not None:
        await async_in_thread(lambda: store.remove(name))


def _warn(connection: AsyncConnection, name: str) -> None:
    """Warn of a name that differs in case only from another one, and of a weak API key."""
    settings, memory = connection.settings, connection.memory
    known = memory.names.get(name.lower(), name)
    if known != name:
        warnings.warn(
            f"{name!r} and {known!r} differ only in case: some engines store one value for both",
            ArcrunWarning,
            stacklevel=4,
        )
    key = settings.api_key
    if settings.credential_format == "plain" or memory.warned_of_key or key is None:
        return
    from arcrun._core.sealing import is_strong

    if not is_strong(key.reveal()):
        memory.warned_of_key = True
        warnings.warn(
            "this API key is too weak to seal credentials with: it is not ak_ and 32 or more hex "
            "digits, so whoever has the sealed values could guess it",
            ArcrunWarning,
            stacklevel=4,
        )
