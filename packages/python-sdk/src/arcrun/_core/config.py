"""Settings: from an argument, else the environment, else the config file. Nothing is read here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from .errors import ConfigurationError
from .origins import origin_of
from .secret import Secret
from .shapes import is_mapping, is_text
from .types import CredentialFormat

HOSTED = "https://cypher.arcrun.dev"
VARIABLES = {
    "api_key": "ARCRUN_API_KEY",
    "base_url": "ARCRUN_BASE_URL",
    "credential_format": "ARCRUN_CREDENTIAL_FORMAT",
}

_HEADER_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_HEADER_VALUE = r"([!-~]([\t -~]*[!-~])?)?"
_OWN_HEADERS = frozenset({
    *("x-arcrun-api-key", "idempotency-key", "content-type", "content-length", "host"),
    *("accept-encoding", "transfer-encoding", "connection"),
})  # fmt: skip
# What PyYAML raises for values that are not what their tag says, besides its own errors.
PARSER_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
_KEY = r"[\x21-\x7e]+"


class Settings:
    """The settings of a client."""

    def __init__(
        self, api_key: Secret | None, base_url: str, credential_format: CredentialFormat
    ) -> None:
        self.api_key = api_key
        self.base_url = base_url
        self.credential_format: CredentialFormat = credential_format
        self.origin = origin_of(base_url) or ""


class Source:
    """Where settings may come from; the values are not shown."""

    __slots__ = ("_describe", "_get")

    def __init__(self, values: Mapping[str, object], describe: str) -> None:
        """Wrap the values; `describe` is a phrase for error messages, with `{name}` for the setting."""
        self._get = values.get
        self._describe = describe

    def get(self, name: str) -> object:
        """Return a setting, or None."""
        return self._get(name)

    def describe(self, name: str) -> str:
        """Return a phrase that says where a setting comes from."""
        return self._describe.replace("{name}", name)

    def __repr__(self) -> str:
        return f"<Source: {self._describe}>"


def resolve(given: Source, environment: Source, file: Source) -> Settings:
    """Choose each setting: argument, else environment, else config file, else the default.

    Args:
        given: the arguments; None means not given.
        environment: the environment variables; an empty one counts as not set.
        file: the contents of the config file.

    Raises:
        ConfigurationError: a setting is malformed; the message says where it came from.
    """

    def choose(name: str) -> tuple[object, str]:
        if given.get(name) is not None:
            return given.get(name), given.describe(name)
        if environment.get(VARIABLES[name]):
            return environment.get(VARIABLES[name]), environment.describe(VARIABLES[name])
        return file.get(name), file.describe(name)

    def choose_key() -> tuple[Secret | None, str]:
        key, origin = choose("api_key")
        # A value that is not text is treated as an empty key, which `check_key` refuses.
        return None if key is None else Secret(key if isinstance(key, str) else ""), origin

    return Settings(
        check_key(*choose_key()),
        check_base_url(*choose("base_url")),
        check_format(*choose("credential_format")),
    )


def check_key(key: Secret | None, origin: str) -> Secret | None:
    """Return the key if it is valid.

    Raises:
        ConfigurationError: it is not. The message does not show it.
    """
    if key is not None and not re.fullmatch(_KEY, key.reveal()):
        raise ConfigurationError(
            f"the API key from {origin} is empty or has characters that do not occur in keys (white "
            "space, a line break, a quotation mark): copy it again; a key is ak_ and 48 hex digits"
        )
    return key


def check_base_url(url: object, origin: str) -> str:
    """Return the base URL if it is valid, without a slash at its end.

    Raises:
        ConfigurationError: it is not.
    """
    if url is None:
        return HOSTED
    if isinstance(url, str):
        try:
            parts = urlsplit(url)
            is_valid = origin_of(url) and parts.port != 0
        except ValueError:  # the port is not a number, or is too large
            is_valid = False
        if is_valid and not re.search(r"[\s\x00-\x20{?#]", url):
            return url.rstrip("/")
    raise ConfigurationError(
        f"{origin} is not a base URL: write scheme, host and port, such as {HOSTED} or "
        "http://127.0.0.1:8787, without user name, query or fragment"
    )


def check_headers(headers: object, option: str) -> dict[str, str]:
    """Return headers to send with requests, if they are valid.

    Args:
        headers: the headers, by name.
        option: where they were given, for error messages.

    Raises:
        ConfigurationError: they are not, or are the SDK's to set. Values are not shown.
    """
    if not is_mapping(headers):
        raise ConfigurationError(f"{option} must be a mapping from names to texts")
    given = cast("Mapping[object, object]", headers)
    for name, value in given.items():
        if (
            not is_text(name)
            or not re.fullmatch(_HEADER_NAME, name)
            or name.lower() in _OWN_HEADERS
        ):
            raise ConfigurationError(f"{option} can't set {name!r}")
        if not isinstance(value, str) or not re.fullmatch(_HEADER_VALUE, value):
            raise ConfigurationError(
                f"{option}: the value of {name} must be text in ASCII, without line breaks, or "
                "white space at either end"
            )
    return {str(name): str(value) for name, value in given.items()}


def check_format(value: object, origin: str) -> CredentialFormat:
    """Return the credential format if it is valid.

    Raises:
        ConfigurationError: it is not.
    """
    if value is None or value == "sealed":
        return "sealed"
    if value == "plain":
        return "plain"
    raise ConfigurationError(f"{origin} must be 'sealed' or 'plain', not {value!r}")


def parse_file(text: Secret, path: str) -> Mapping[str, Any]:
    """Parse the YAML of a config file.

    Raises:
        ConfigurationError: it is not YAML, or not a mapping of settings.
    """
    import yaml

    try:
        content: object = yaml.safe_load(text.reveal())
    except (yaml.YAMLError, *PARSER_ERRORS) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    else:
        if content is None:
            return {}
        if isinstance(content, dict):
            return cast("dict[str, Any]", content)
        where = ""
        del content
    # The text itself is not shown: it may hold the key.
    raise ConfigurationError(
        f"{path} is not a YAML mapping{where}: write lines such as `api_key: ak_…`, "
        "`base_url: https://…`, `credential_format: plain`"
    )
