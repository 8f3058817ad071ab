"""The opt-in keyring: it keeps secrets after the process, separately for each engine and key."""

from __future__ import annotations

import importlib
import sys

import pytest

import arcrun


class MemoryKeyring:
    """A backend of the package `keyring` in memory."""

    priority = 1

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, name: str) -> str | None:
        return self.entries.get((service, name))

    def set_password(self, service: str, name: str, text: str) -> None:
        self.entries[service, name] = text

    def delete_password(self, service: str, name: str) -> None:
        del self.entries[service, name]


@pytest.fixture
def backend():
    keyring = importlib.import_module("keyring")
    backend_class = importlib.import_module("keyring.backend").KeyringBackend
    made = type("Backend", (MemoryKeyring, backend_class), {})()
    before = keyring.get_keyring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def service(serve_recipe, other_server):
    other_server.on("GET", "*", {})
    inject = {"header": {"Authorization": "Bearer {{secret.tok}}"}}
    serve_recipe("own", other_server.url, ["tok"], inject=inject)
    return other_server


def bound_header(kind, client, service) -> str:
    bound = kind.bind(client, "own", trust_origin=service.url)
    kind.run(bound.get("/"))
    return service.requests[-1].headers["authorization"]


def test_a_new_process_finds_stored_secrets(kind, server, service, backend) -> None:
    kind.run(kind.client(server.url, secret_cache="keyring").auth.setup("own", tok="tok-1"))
    later = kind.client(server.url, secret_cache="keyring")
    assert bound_header(kind, later, service) == "Bearer tok-1"
    assert server.to("/credentials/tok") == []


def test_entries_are_separate_for_each_engine_and_key(kind, server, service, backend, key) -> None:
    kind.run(kind.client(server.url, secret_cache="keyring").auth.setup("own", tok="tok-1"))
    ((owner, name),) = backend.entries
    assert name == "tok"
    assert server.url in owner
    assert key not in owner
    for other in (
        kind.client(server.url, "ak_" + "f" * 48, secret_cache="keyring"),
        kind.client(server.url),
    ):
        with pytest.raises(arcrun.MissingSecretError):
            kind.bind(other, "own", trust_origin=service.url)


def test_a_pushed_or_deleted_secret_is_removed(kind, server, service, backend) -> None:
    client = kind.client(server.url, secret_cache="keyring")
    kind.run(client.auth.setup("own", tok="tok-1"))
    server.on("DELETE", "/credentials/tok", {"success": True, "name": "tok"})
    kind.run(client.creds.delete("tok"))
    assert backend.entries == {}
    kind.run(client.creds.push("tok", "tok-2"))
    assert backend.entries == {}


def test_without_the_keyring_package_the_extra_is_named(kind, server, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(arcrun.ConfigurationError, match=r"arcrun\[keyring\]"):
        kind.client(server.url, secret_cache="keyring")


def test_a_locked_keyring_is_an_error_that_shows_no_secret(
    kind, server, service, backend, monkeypatch, seen_by_tools
) -> None:
    locked = importlib.import_module("keyring.errors").KeyringLocked

    def refuse(*_: object) -> None:
        raise locked("Failed to unlock the collection!")

    client = kind.client(server.url, secret_cache="keyring")
    monkeypatch.setattr(backend, "set_password", refuse)
    with pytest.raises(arcrun.ConfigurationError, match="KeyringLocked: Failed to unlock") as e:
        kind.run(client.auth.setup("own", tok="s3cret"))
    assert "s3cret" not in seen_by_tools(e.value)
    assert bound_header(kind, client, service) == "Bearer s3cret"  # stored, and kept in memory


def test_a_secret_is_kept_with_its_service(kind, server, service, backend, serve_recipe) -> None:
    kind.run(kind.client(server.url, secret_cache="keyring").auth.setup("own", tok="a:b"))
    (entry,) = backend.entries.values()
    assert entry == "arcrun.v1:own:a:b"
    inject = {"header": {"Authorization": "Bearer {{secret.tok}}"}}
    serve_recipe("other", service.url, ["tok"], inject=inject)
    later = kind.client(server.url, secret_cache="keyring")
    with pytest.raises(arcrun.MissingSecretError, match="stored for 'own'"):
        kind.bind(later, "other", trust_origin=service.url, trust_recipe=True)


def test_an_entry_of_an_earlier_version_has_no_service(kind, server, service, backend) -> None:
    client = kind.client(server.url, secret_cache="keyring")
    kind.run(client.auth.setup("own", tok="tok-1"))
    (entry,) = backend.entries
    backend.entries[entry] = "tok-0"
    later = kind.client(server.url, secret_cache="keyring")
    with pytest.raises(arcrun.MissingSecretError, match="without a service"):
        kind.bind(later, "own", trust_origin=service.url)
    bound = kind.bind(later, "own", trust_origin=service.url, trust_recipe=True)
    kind.run(bound.get("/"))
    assert service.requests[-1].headers["authorization"] == "Bearer tok-0"


def test_memory_is_the_default(kind, server, service, backend) -> None:
    kind.run(kind.client(server.url).auth.setup("own", tok="tok-1"))
    assert backend.entries == {}
