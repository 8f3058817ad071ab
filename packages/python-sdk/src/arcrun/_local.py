"""Environment, config file and keyring. No other module reads them."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import stat
import warnings
from collections.abc import Generator
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from ._core.config import PARSER_ERRORS, Settings, Source, parse_file, resolve
from ._core.errors import ArcrunWarning, ConfigurationError, InvalidArgumentError
from ._core.memory import StoredSecret
from ._core.names import variable
from ._core.secret import Secret
from ._core.shapes import json_object

_ENTRY = "arcrun.v1:"  # in the keyring: this, the service, a colon, the value


def load_settings(given: Source, config_file: str | os.PathLike[str] | None) -> Settings:
    """Read the settings: arguments, then environment, then config file.

    Raises:
        ConfigurationError: a setting is malformed, or the config file can't be read.
    """
    environment = Source(os.environ, "the variable {name}")
    return resolve(given, environment, read_config(config_file))


def read_config(config_file: str | os.PathLike[str] | None) -> Source:
    """Read the config file. The default one need not exist.

    Raises:
        ConfigurationError: it can't be read, or is not a mapping in YAML.
    """
    try:
        path = Path(config_file) if config_file is not None else default_config()
    except TypeError:
        raise ConfigurationError(f"config_file must be a path, not {config_file!r}") from None
    empty = Source({}, "{name} in the config file")
    if path is None:
        return empty
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = Secret(file.read().decode())
    except (FileNotFoundError, NotADirectoryError):
        if config_file is None:
            return empty
        reason = "the file does not exist"
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except ValueError as error:  # NUL in the path
        reason = str(error)
    else:
        settings = parse_file(text, str(path))
        if os.name == "posix" and mode & (stat.S_IRGRP | stat.S_IROTH) and settings.get("api_key"):
            warnings.warn(
                f"{path} holds an API key, and other users can read it: chmod 600 {path}",
                ArcrunWarning,
                stacklevel=2,
            )
        return Source(settings, f"{{name}} in {path}")
    raise ConfigurationError(f"the config file {path} can't be read: {reason}")


def read_document(path: str | os.PathLike[str]) -> tuple[dict[str, Any], str]:
    """Read a workflow from a file in YAML, of which JSON is a part; return it and the file's name.

    Raises:
        InvalidArgumentError: the file can't be read, or is not YAML of a mapping.
    """
    import yaml

    try:
        file = Path(path)
        content = json_object(yaml.safe_load(file.read_text(encoding="utf-8")))
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except (yaml.YAMLError, *PARSER_ERRORS) as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
    else:
        if content is not None:
            return content, file.stem
        reason = "it is no mapping with flow and config, or nodes and edges"
    raise InvalidArgumentError(f"the workflow {path!r} can't be read: {reason}")


def default_config() -> Path | None:
    """Return the path of `~/.arcrun/config.yaml`, or None if there is no home directory."""
    try:
        return Path.home() / ".arcrun" / "config.yaml"
    except RuntimeError:
        return None


def log_to_stderr() -> None:
    """Show what the SDK logs, if the variable ARCRUN_LOG says so: `debug` or `info`."""
    level = os.environ.get("ARCRUN_LOG", "").upper()
    logger = logging.getLogger("arcrun")
    if level in {"DEBUG", "INFO"} and not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(level)


def secret_from_environment(name: str) -> StoredSecret | None:
    """Return the secret in the variable `ARCRUN_SECRET_<NAME>`, if it is set.

    Raises:
        ConfigurationError: it is not UTF-8.
    """
    text = Secret(os.environ.get(variable(name)) or "")
    if not text.reveal():
        return None
    value = Secret.of(text.reveal())
    if value is None:  # Python puts surrogates in the place of bytes that it can't decode
        raise ConfigurationError(f"the variable {variable(name)} is not UTF-8")
    return StoredSecret(value, None)


class SecretStore(Protocol):
    """A store that keeps secrets after the process has ended."""

    def of(self, settings: Settings) -> SecretStore:
        """Return the store for another key or engine."""
        ...

    def get(self, name: str) -> StoredSecret | None:
        """Return a secret, if it is there."""
        ...

    def put(self, name: str, secret: StoredSecret) -> None:
        """Keep a secret."""
        ...

    def remove(self, name: str) -> None:
        """Remove a secret, if it is there."""
        ...


def _read_entry(entry: Secret) -> StoredSecret:
    """Read an entry of the keyring; one that an earlier version wrote is the value alone."""
    if not entry.reveal().startswith(_ENTRY):
        return StoredSecret(entry, None)
    service, _, value = entry.reveal()[len(_ENTRY) :].partition(":")
    return StoredSecret(Secret(value), service or None)


class KeyringStore:
    """The system's keyring (extra `arcrun[keyring]`): an entry for each secret, API key and engine."""

    def __init__(self, settings: Settings) -> None:
        """Open the keyring.

        Raises:
            ConfigurationError: the package `keyring` is not installed.
        """
        try:
            self._keyring: Any = import_module("keyring")
        except ImportError as error:
            raise ConfigurationError(
                'secret_cache="keyring" needs the package keyring: pip install "arcrun[keyring]"'
            ) from error
        key = settings.api_key.reveal().encode() if settings.api_key else b""
        self._service = f"arcrun {settings.origin} {hashlib.sha256(key).hexdigest()[:16]}"

    def of(self, settings: Settings) -> SecretStore:
        """Return the store for another key or engine."""
        return KeyringStore(settings)

    def get(self, name: str) -> StoredSecret | None:
        """Return a secret, if it is there."""
        with self._own_errors():
            entry = Secret(self._keyring.get_password(self._service, name) or "")
        return _read_entry(entry) if entry.reveal() else None

    def put(self, name: str, secret: StoredSecret) -> None:
        """Keep a secret, with the service that it was stored for."""
        with self._own_errors():
            self._keyring.set_password(
                self._service, name, f"{_ENTRY}{secret.service or ''}:{secret.value.reveal()}"
            )

    def remove(self, name: str) -> None:
        """Remove a secret, if it is there."""
        with self._own_errors():
            if self._keyring.get_password(self._service, name) is not None:
                self._keyring.delete_password(self._service, name)

    @contextlib.contextmanager
    def _own_errors(self) -> Generator[None, None, None]:
        """Raise the SDK's own error if the keyring is locked, or there is none."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - backends raise what they like
            reason = f"{type(error).__name__}: {error}"
        else:
            return
        raise ConfigurationError(
            f"the system's keyring cannot be used ({reason}): unlock it, or leave out secret_cache"
        )
