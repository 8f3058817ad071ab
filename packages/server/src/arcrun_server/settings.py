"""Settings of a server: from the command line, else from the environment, else a default."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from arcrun_server.accounts.configuration import AccountSettings, account_settings_from
from arcrun_server.engine import RunLimits
from arcrun_server.errors import StartupError
from arcrun_server.llm.configuration import LlmSettings, llm_settings_from
from arcrun_server.telemetry import tracing

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8787
DEFAULT_MAX_BODY_BYTES = 2 * 1024 * 1024
DEFAULT_MAX_VALUES = 100_000
DEFAULT_MAX_CONNECTIONS = 1000
DEFAULT_REQUESTS_PER_KEY = 256
DEFAULT_RUNS_PER_KEY = 200
DEFAULT_CALLS_PER_KEY = 20
DEFAULT_RUNS_AT_ONCE = 50
DEFAULT_RUN_DAYS = 30
DEFAULT_KEPT_RUNS = 100_000
LOG_FORMATS = ("text", "json")
_TESTING = ("ARCRUN_SERVER_CLOCK_FILE", "ARCRUN_SERVER_RESOLVE", "ARCRUN_SERVER_PRIVATE_ADDRESSES")


@dataclass(frozen=True)
class Testing:
    """Settings for a test suite, which development mode alone takes.

    Args:
        clock_file: A file with the number of seconds by which the engine's clock is ahead.
        resolve: For each host name the addresses of each look-up in turn; the last ones stay.
        private_addresses: Whether development mode lets workflows reach loopback and private addresses.
    """

    clock_file: Path | None = None
    resolve: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    private_addresses: bool = True


@dataclass(frozen=True)
class Settings:
    """Everything about one server that is decided before it starts.

    Args:
        data_dir: Folder of the server key, and of the database if that is SQLite.
        database_url: URL of a PostgreSQL database; by default, the database is SQLite.
        dev: Development mode: loopback only, prints a key, runs may reach private addresses.
        public_url: URL under which clients reach the server, without a slash at its end; by default what the request says.
        cors_origins: Origins whose pages may call the server, as `https://arcrun.dev`.
        max_body_bytes: Largest request body, in bytes.
        max_values: How many values the JSON of a request body may have.
        max_connections: How many connections there may be at once, below the limit of open files.
        requests_per_key: How many requests of one key are served at once.
        runs_per_key: How many of them may be runs.
        calls_per_key: How many requests the runs of one key send to services at once; more wait.
        durable: Whether runs are accepted that outlive this process; there is one such server to a process.
        runs_at_once: How many accepted runs this server executes at once.
        run_days: How many days accepted runs are kept after their end.
        kept_runs: How many of an account that have ended are kept.
        llm_script: A file with replies for the provider `scripted` (llm/scripted.py).
        llm: The provider of language models, and its models.
        testing: What lets a test suite move the clock and answer for DNS; in development mode only.
        log_format: One of `LOG_FORMATS`, unless the command line says so.
        accounts: Where people log in.
        site: Folder with the site's pages, to be served beside the API.
        metrics_token: What `GET /metrics` asks for; without it only development mode has that route.
        tracing: Whether spans are sent, as the variables of OpenTelemetry say (telemetry/tracing.py).
        run: How much one run may use.

    Example:
        >>> Settings(data_dir=Path("/tmp/arcrun")).max_body_bytes
        2097152
    """

    data_dir: Path
    dev: bool = False
    database_url: str | None = field(default=None, repr=False)  # it may hold a password
    public_url: str | None = None
    cors_origins: tuple[str, ...] = ()
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES
    max_values: int = DEFAULT_MAX_VALUES
    max_connections: int = DEFAULT_MAX_CONNECTIONS
    requests_per_key: int = DEFAULT_REQUESTS_PER_KEY
    runs_per_key: int = DEFAULT_RUNS_PER_KEY
    calls_per_key: int = DEFAULT_CALLS_PER_KEY
    durable: bool = False
    runs_at_once: int = DEFAULT_RUNS_AT_ONCE
    run_days: int = DEFAULT_RUN_DAYS
    kept_runs: int = DEFAULT_KEPT_RUNS
    llm_script: Path | None = None
    llm: LlmSettings = field(default_factory=LlmSettings)
    run: RunLimits = field(default_factory=RunLimits)
    testing: Testing = field(default_factory=Testing)
    accounts: AccountSettings = field(default_factory=AccountSettings)
    site: Path | None = None
    log_format: str = "text"
    metrics_token: str | None = field(default=None, repr=False)
    tracing: bool = False

    @property
    def development_login(self) -> bool:
        """Whether anyone may log in as whom they like: in development mode, and reached on loopback only."""
        host = urlsplit(self.public_url).hostname if self.public_url else "localhost"
        return self.dev and is_loopback(host or "")

    @property
    def has_login(self) -> bool:
        """Whether people can log in."""
        return self.development_login or self.accounts.has_provider

    @property
    def private_addresses(self) -> bool:
        """Whether workflows may reach loopback and private addresses."""
        return self.dev and self.testing.private_addresses


def default_data_dir(environment: Mapping[str, str]) -> Path:
    """Return the folder for data: `ARCRUN_SERVER_DATA`, else `~/.arcrun/server`."""
    named = environment.get("ARCRUN_SERVER_DATA")
    return Path(named) if named else Path.home() / ".arcrun" / "server"


def default_database_url(environment: Mapping[str, str]) -> str | None:
    """Return the URL of the database: `ARCRUN_SERVER_DATABASE`, else None, which means SQLite."""
    return environment.get("ARCRUN_SERVER_DATABASE") or None


def settings_from(
    environment: Mapping[str, str],
    *,
    data_dir: Path,
    database_url: str | None = None,
    dev: bool = False,
    site: Path | None = None,
) -> Settings:
    """Read the settings that the command line does not have.

    Args:
        environment: Usually `os.environ`; keys `ARCRUN_SERVER_PUBLIC_URL`,
            `ARCRUN_SERVER_CORS_ORIGINS` (separated by commas), `ARCRUN_SERVER_MAX_BODY_BYTES`,
            `ARCRUN_SERVER_MAX_CONNECTIONS`, `ARCRUN_SERVER_REQUESTS_PER_KEY`,
            `ARCRUN_SERVER_RUNS_PER_KEY`, `ARCRUN_SERVER_CALLS_PER_KEY`, `ARCRUN_SERVER_MAX_VALUES`,
            `ARCRUN_SERVER_RUNS_AT_ONCE`, `ARCRUN_SERVER_RUN_DAYS`,
            `ARCRUN_SERVER_KEPT_RUNS`,
            `ARCRUN_SERVER_LOG_FORMAT`, `ARCRUN_SERVER_METRICS_TOKEN`,
            `ARCRUN_SERVER_LLM_SCRIPT` and the others of llm/configuration.py, those of accounts/configuration.py,
            and for the limits of a run `ARCRUN_SERVER_RUN_STEPS`, `ARCRUN_SERVER_RUN_SECONDS`,
            `ARCRUN_SERVER_RUN_RESULT_BYTES`, `ARCRUN_SERVER_RUN_TOTAL_BYTES`,
            `ARCRUN_SERVER_RUN_TRACE_BYTES`; in development mode also
            `ARCRUN_SERVER_CLOCK_FILE`, `ARCRUN_SERVER_RESOLVE` (`HOST=ADDRESS,ADDRESS`, separated by
            spaces) and `ARCRUN_SERVER_PRIVATE_ADDRESSES` (`yes` or `no`). For spans also the variables of
            OpenTelemetry (telemetry/tracing.py).
        data_dir: Folder of the server key, and of the database if that is SQLite.
        database_url: URL of a PostgreSQL database.
        dev: Development mode.
        site: Folder with the site's pages.

    Raises:
        StartupError: A value has the wrong form.

    Example:
        >>> settings_from({"ARCRUN_SERVER_CORS_ORIGINS": "https://arcrun.dev"}, data_dir=Path("d")).cors_origins
        ('https://arcrun.dev',)
    """
    public_url = _public_url(environment.get("ARCRUN_SERVER_PUBLIC_URL"))
    return Settings(
        data_dir=data_dir,
        dev=dev,
        site=site,
        database_url=database_url,
        public_url=public_url,
        cors_origins=_origins(environment.get("ARCRUN_SERVER_CORS_ORIGINS", "")),
        max_body_bytes=_positive(
            environment, "ARCRUN_SERVER_MAX_BODY_BYTES", DEFAULT_MAX_BODY_BYTES
        ),
        max_values=_positive(environment, "ARCRUN_SERVER_MAX_VALUES", DEFAULT_MAX_VALUES),
        max_connections=_positive(
            environment, "ARCRUN_SERVER_MAX_CONNECTIONS", DEFAULT_MAX_CONNECTIONS
        ),
        requests_per_key=_positive(
            environment, "ARCRUN_SERVER_REQUESTS_PER_KEY", DEFAULT_REQUESTS_PER_KEY
        ),
        runs_per_key=_positive(environment, "ARCRUN_SERVER_RUNS_PER_KEY", DEFAULT_RUNS_PER_KEY),
        calls_per_key=_positive(environment, "ARCRUN_SERVER_CALLS_PER_KEY", DEFAULT_CALLS_PER_KEY),
        durable=True,
        runs_at_once=_positive(environment, "ARCRUN_SERVER_RUNS_AT_ONCE", DEFAULT_RUNS_AT_ONCE),
        run_days=_positive(environment, "ARCRUN_SERVER_RUN_DAYS", DEFAULT_RUN_DAYS),
        kept_runs=_positive(environment, "ARCRUN_SERVER_KEPT_RUNS", DEFAULT_KEPT_RUNS),
        llm_script=_path(environment, "ARCRUN_SERVER_LLM_SCRIPT"),
        llm=llm_settings_from(environment, dev=dev),
        testing=_testing(environment, dev=dev),
        accounts=account_settings_from(environment, dev=dev, public_url=public_url),
        log_format=_log_format(environment),
        metrics_token=_token(environment, "ARCRUN_SERVER_METRICS_TOKEN"),
        tracing=tracing.is_configured(environment),
        run=_run_limits(environment),
    )


def _testing(environment: Mapping[str, str], *, dev: bool) -> Testing:
    given = [name for name in _TESTING if environment.get(name)]
    if given and not dev:
        raise StartupError(f"{given[0]} is for tests, and only taken with --dev")
    clock_file = environment.get("ARCRUN_SERVER_CLOCK_FILE")
    private = environment.get("ARCRUN_SERVER_PRIVATE_ADDRESSES") or "yes"
    if private not in {"yes", "no"}:
        raise StartupError("ARCRUN_SERVER_PRIVATE_ADDRESSES must be yes or no")
    return Testing(
        clock_file=Path(clock_file) if clock_file else None,
        resolve=_resolve(environment.get("ARCRUN_SERVER_RESOLVE", "")),
        private_addresses=private == "yes",
    )


def _resolve(value: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Read `HOST=ADDRESS,ADDRESS/ADDRESS HOST=…`: a slash ends the addresses of one look-up.

    Raises:
        StartupError: It has another form.
    """
    found = {}
    for entry in value.split():
        host, _, answers = entry.partition("=")
        lookups = tuple(tuple(answer.split(",")) for answer in answers.split("/"))
        try:
            for address in (each for lookup in lookups for each in lookup):
                ipaddress.ip_address(address)
        except ValueError as error:
            raise StartupError(
                f"ARCRUN_SERVER_RESOLVE: {entry!r}: {error}; write HOST=ADDRESS,ADDRESS"
            ) from None
        found[host.lower()] = lookups
    return found


def is_loopback(host: str) -> bool:
    """Return whether this host name can only be reached from the same machine.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
        (True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _public_url(value: str | None) -> str | None:
    if not value:
        return None
    if not value.startswith(("https://", "http://")):
        raise StartupError("ARCRUN_SERVER_PUBLIC_URL must begin with https:// or http://")
    return value.rstrip("/")


def _origins(value: str) -> tuple[str, ...]:
    origins = tuple(part.strip() for part in value.split(",") if part.strip())
    for origin in origins:
        scheme, separator, host = origin.partition("://")
        if scheme not in {"http", "https"} or not separator or not host or "/" in host:
            raise StartupError(
                f"ARCRUN_SERVER_CORS_ORIGINS: {origin!r} is not an origin; write scheme and host only, as https://arcrun.dev"
            )
    return origins


def _log_format(environment: Mapping[str, str]) -> str:
    value = environment.get("ARCRUN_SERVER_LOG_FORMAT") or LOG_FORMATS[0]
    if value not in LOG_FORMATS:
        raise StartupError(f"ARCRUN_SERVER_LOG_FORMAT must be {' or '.join(LOG_FORMATS)}")
    return value


def _token(environment: Mapping[str, str], name: str) -> str | None:
    value = environment.get(name)
    if not value:
        return None
    if not re.fullmatch(r"[\x21-\x7e]{16,512}", value):
        raise StartupError(
            f"{name} must have 16 to 512 ASCII characters and no spaces.\n"
            "Make one with: python -c 'import secrets; print(secrets.token_urlsafe())'"
        )
    return value


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    value = environment.get(name)
    return Path(value) if value else None


def _run_limits(environment: Mapping[str, str]) -> RunLimits:
    usual = RunLimits()
    return RunLimits(
        steps=_positive(environment, "ARCRUN_SERVER_RUN_STEPS", usual.steps),
        seconds=_positive(environment, "ARCRUN_SERVER_RUN_SECONDS", int(usual.seconds)),
        output_bytes=_positive(environment, "ARCRUN_SERVER_RUN_RESULT_BYTES", usual.output_bytes),
        total_bytes=_positive(environment, "ARCRUN_SERVER_RUN_TOTAL_BYTES", usual.total_bytes),
        trace_bytes=_positive(environment, "ARCRUN_SERVER_RUN_TRACE_BYTES", usual.trace_bytes),
    )


def _positive(environment: Mapping[str, str], name: str, default: int) -> int:
    value = environment.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and int(value) > 0):
        raise StartupError(f"{name} must be a whole number above 0")
    return int(value)
