"""The command line: `arcrun-server serve`, `keys create|list|revoke`, `backup`, `restore` and `doctor`."""

from __future__ import annotations

import argparse
import errno
import json
import os
import shlex
import signal
import sys
import tempfile
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arcrun_server import clock
from arcrun_server._version import __version__
from arcrun_server.accounts.labels import LABEL_RULE, is_label
from arcrun_server.errors import StartupError, StorageUnavailableError
from arcrun_server.settings import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    LOG_FORMATS,
    default_data_dir,
    default_database_url,
    is_loopback,
    settings_from,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from arcrun_server.store import Store

# What a user types to get here, where that is another command that calls this one.
COMMAND = "ARCRUN_SERVER_COMMAND"
DEV_FOLDER_PREFIX = "arcrun-dev-"
LOG_LEVELS = ("debug", "info", "warning", "error")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: As typed after `arcrun-server`; by default those of this process.

    Returns:
        Exit code: 0 done, 1 it could not be done (the reason is on stderr) or a check failed, 2 the command is not
            valid, 130 Ctrl-C.
    """
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EPIPE}:
            raise
        # Python would try again when it ends, print what looks like a defect, and end with 120.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"arcrun-server: the output can't be written: {error.strerror}", file=sys.stderr)
        return 1
    return code


def _run(arguments: Sequence[str] | None) -> int:
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as ended:  # after --help, and after what is wrong
        return int(ended.code or 0)
    try:
        return options.command(options) or 0
    except StartupError as error:
        print(f"arcrun-server: {error}", file=sys.stderr)
        return 1
    except StorageUnavailableError as error:
        print(f"arcrun-server: {error.reason}; {error.outcome}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _serve(options: argparse.Namespace) -> None:
    if options.dev and not is_loopback(options.host):
        raise StartupError(
            f"--dev prints a key and lifts limits, so it serves this machine only, not {options.host}.\n"
            "Leave out --host, or leave out --dev and make a key with: arcrun-server keys create"
        )
    if options.dev and options.data is None:
        if _database_url(options):
            raise StartupError(
                "--dev without --data forgets its server key, and with it what is in a PostgreSQL database.\n"
                "Name a folder for the key with --data, or use neither --database nor ARCRUN_SERVER_DATABASE."
            )
        from arcrun_server.store.folder import remove_left_folders  # noqa: PLC0415 - as below

        remove_left_folders(Path(tempfile.gettempdir()), DEV_FOLDER_PREFIX)
        with tempfile.TemporaryDirectory(
            prefix=DEV_FOLDER_PREFIX, ignore_cleanup_errors=True
        ) as folder:
            _serve_from(Path(folder), options)
    else:
        _serve_from(_data_dir(options), options)


def _serve_from(data_dir: Path, options: argparse.Namespace) -> None:
    # Here, so that the other commands and --help don't wait for the application.
    from arcrun_server.app import create_app  # noqa: PLC0415
    from arcrun_server.serving import (  # noqa: PLC0415
        open_socket,
        run,
        stop_when_stdin_closes,
        url_of,
    )
    from arcrun_server.store.accounts import FURTHER  # noqa: PLC0415
    from arcrun_server.telemetry.logs import log_to_stderr  # noqa: PLC0415

    database_url = _database_url(options)
    settings = settings_from(
        os.environ,
        data_dir=data_dir,
        database_url=database_url,
        dev=options.dev,
        site=options.site,
    )
    log_to_stderr(options.log_level.upper(), options.log_format or settings.log_format)
    if settings.testing.clock_file is not None:
        clock.follow(settings.testing.clock_file)
    with (
        open_socket(options.host, options.port, typed=_typed(options)) as listener,
        _open_store(
            data_dir,
            database_url,
            serving=True,
            development=options.dev,
            run_days=settings.run_days,
        ) as store,
    ):
        ready = {"url": url_of(listener, options.host)}
        ready["docs"] = f"{ready['url']}/docs"
        key = _dev_key(store) if options.dev else None
        more = [_new_dev_key(store, FURTHER) for _ in range(options.keys - 1 if options.dev else 0)]

        def announce() -> None:
            if options.until_stdin_closes:
                stop_when_stdin_closes()
            if options.json:
                line = {**ready, "version": __version__, "pid": os.getpid()}
                line |= {"key": key} if key else {}
                print(json.dumps(line | ({"keys": [key, *more]} if more else {})), flush=True)
                return
            print(_ready_lines(ready, key), flush=True)

        run(create_app(settings, store), listener, announce, settings.max_connections)


def _ready_lines(ready: dict[str, str], key: str | None) -> str:
    """Return what a terminal shows; with a key, two lines to paste into another one."""
    lines = [f"url   {ready['url']}", f"docs  {ready['docs']}"]
    if key:
        url = shlex.quote(ready["url"])
        lines += [
            f"key   {key}",
            "",
            f"export ARCRUN_BASE_URL={url}",
            f"export ARCRUN_API_KEY={key}",
        ]
    return "\n".join(lines)


def _typed(options: argparse.Namespace) -> str:
    """Return how this command was called, without its options, to be shown in a hint."""
    return os.environ.get(COMMAND) or f"arcrun-server serve{' --dev' if options.dev else ''}"


def _dev_key(store: Store) -> str:
    """Return the development mode's key, the same for as long as the data folder lives; other modes refuse it."""
    from arcrun_server.store.accounts import FIRST  # noqa: PLC0415

    key = store.accounts.development_key()
    return _new_dev_key(store, FIRST) if key is None else key


def _new_dev_key(store: Store, development: str) -> str:
    from arcrun_server.accounts.keys import new_key  # noqa: PLC0415

    key = new_key()
    store.accounts.create(key, "dev", development=development)
    return key


def _create_key(options: argparse.Namespace) -> None:
    from arcrun_server.accounts.keys import new_key  # noqa: PLC0415

    key = new_key()
    with _open_store(_data_dir(options), _database_url(options)) as store:
        store.accounts.create(key, options.label)
    print(key)


def _list_keys(options: argparse.Namespace) -> None:
    with _open_store(_data_dir(options), _database_url(options), create=False) as store:
        entries = store.accounts.keys()
    for entry in entries:
        used = "never" if entry.last_used_at is None else _day(entry.last_used_at)
        shown = f"{entry.id}  {entry.prefix}…{entry.last_four}  {_day(entry.created_at)}"
        print(f"{shown}  {entry.state}  used {used}  {entry.label}".rstrip())


def _revoke_key(options: argparse.Namespace) -> None:
    with _open_store(_data_dir(options), _database_url(options), create=False) as store:
        if not store.accounts.revoke(options.id):
            raise StartupError(
                f"there is no key {options.id!r}; see the ids with: arcrun-server keys list"
            )
    print(f"{options.id} is revoked", file=sys.stderr)


def _back_up(options: argparse.Namespace) -> None:
    from arcrun_server.maintenance.backup import back_up  # noqa: PLC0415
    from arcrun_server.store.database_url import read_database_url  # noqa: PLC0415

    database_url = _database_url(options)
    if database_url is not None:
        # Without its password, which other users of the machine would see on the command line.
        url = shlex.quote(str(read_database_url(database_url)))
        raise StartupError(
            "a PostgreSQL database is backed up by PostgreSQL's own program. Run:\n"
            f"pg_dump --format=custom --file={shlex.quote(str(options.file))} {url}\n"
            "and keep a copy of server.key, from the data folder, in another place."
        )
    with _tidying_up_on_sigterm():
        manifest = back_up(_data_dir(options), options.file, with_key=not options.without_key)
    key = (
        "not the server key: keep a copy of that, too"
        if options.without_key
        else "the server key: it opens every secret, so keep this file secret"
    )
    print(
        f"{options.file} holds the database of {manifest.created_at} (schema {manifest.schema}), and {key}",
        file=sys.stderr,
    )


def _restore(options: argparse.Namespace) -> None:
    from arcrun_server.maintenance.restore import restore  # noqa: PLC0415

    if default_database_url(os.environ):
        raise StartupError(
            "ARCRUN_SERVER_DATABASE names a PostgreSQL database, and this restores SQLite.\n"
            "Restore PostgreSQL with pg_restore, or unset ARCRUN_SERVER_DATABASE."
        )
    data_dir = _data_dir(options)
    with _tidying_up_on_sigterm():
        manifest = restore(options.file, data_dir, key_file=options.key_file)
    print(
        f"{data_dir} holds the database of {manifest.created_at} (schema {manifest.schema}).\n"
        "Check it with arcrun-server doctor, and start a server on it once the old one is stopped for good.",
        file=sys.stderr,
    )


@contextmanager
def _tidying_up_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end what is within as an exception does, so that it removes its drafts."""

    def end(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _doctor(options: argparse.Namespace) -> int:
    from arcrun_server.maintenance.doctor import examine  # noqa: PLC0415
    from arcrun_server.maintenance.findings import FAIL  # noqa: PLC0415

    findings = []
    for finding in examine(_data_dir(options), _database_url(options), os.environ):
        findings.append(finding)
        if not options.json:
            print(finding, flush=True)
    well = all(finding.status != FAIL for finding in findings)
    if options.json:
        print(json.dumps({"ok": well, "checks": [finding.as_json() for finding in findings]}))
    return 0 if well else 1


@contextmanager
def _open_store(data_dir: Path, database_url: str | None, **mode: Any) -> Iterator[Store]:
    from arcrun_server.store import Store  # noqa: PLC0415

    store = Store(data_dir, database_url, **mode)
    try:
        yield store
    finally:
        store.close()


def _data_dir(options: argparse.Namespace) -> Path:
    return options.data if options.data is not None else default_data_dir(os.environ)


def _database_url(options: argparse.Namespace) -> str | None:
    return options.database or default_database_url(os.environ)


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment, tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="arcrun-server", description="The reference engine of arcrun."
    )
    parser.add_argument("--version", action="version", version=f"arcrun-server {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve the engine until Ctrl-C")
    serve.set_defaults(command=_serve)
    serve.add_argument("--host", default=DEFAULT_HOST, help="address to listen on (%(default)s)")
    serve.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="port; 0 takes a free one (%(default)s)"
    )
    _add_storage_options(serve)
    serve.add_argument(
        "--dev",
        action="store_true",
        help="development: print a key that only works with --dev; without --data, forget everything at the end",
    )
    serve.add_argument(
        "--site",
        type=Path,
        metavar="DIR",
        help="serve the site's pages too: what nox -s website has built",
    )
    serve.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="stop when standard input ends, so that the server does not outlive the program that started it",
    )
    serve.add_argument(
        "--keys",
        type=int,
        default=1,
        metavar="N",
        help="with --dev --json: print N keys, each of an account of its own (%(default)s)",
    )
    serve.add_argument("--json", action="store_true", help="print one line of JSON when ready")
    serve.add_argument("--log-level", choices=LOG_LEVELS, default="info", help="(%(default)s)")
    serve.add_argument(
        "--log-format",
        choices=LOG_FORMATS,
        help="text for people, or json for programs (text, or $ARCRUN_SERVER_LOG_FORMAT)",
    )

    keys = commands.add_parser("keys", help="make, list and revoke API keys")
    actions = keys.add_subparsers(required=True, metavar="ACTION")
    create = actions.add_parser("create", help="make a key for a new account and print it, once")
    create.set_defaults(command=_create_key)
    create.add_argument(
        "--label", type=_label, default="", help="what the key is for, for lists; none by default"
    )
    listing = actions.add_parser(
        "list", help="list ids, first and last characters, times, states and labels"
    )
    listing.set_defaults(command=_list_keys)
    revoke = actions.add_parser("revoke", help="revoke a key from now on")
    revoke.set_defaults(command=_revoke_key)
    revoke.add_argument("id", help="the key's id, from: arcrun-server keys list")

    backup = commands.add_parser(
        "backup", help="copy the database and the server key into a file, also while a server runs"
    )
    backup.set_defaults(command=_back_up)
    backup.add_argument("file", type=Path, metavar="FILE", help="file to make; never replaced")
    backup.add_argument("--without-key", action="store_true", help="leave out the server key")

    restore = commands.add_parser("restore", help="put a backup into a new data folder")
    restore.set_defaults(command=_restore)
    restore.add_argument("file", type=Path, metavar="FILE", help="file that backup has made")
    restore.add_argument(
        "--key-file", type=Path, metavar="KEY", help="server key, for a backup made --without-key"
    )
    _add_data_option(restore)

    doctor = commands.add_parser(
        "doctor", help="check folder, key, database, clock and settings, and change nothing"
    )
    doctor.set_defaults(command=_doctor)
    doctor.add_argument("--json", action="store_true", help="print JSON")
    for command in (create, listing, revoke, backup, doctor):
        _add_storage_options(command)
    return parser


def _add_data_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of the database and the server key (~/.arcrun/server, or $ARCRUN_SERVER_DATA)",
    )


def _add_storage_options(parser: argparse.ArgumentParser) -> None:
    _add_data_option(parser)
    parser.add_argument(
        "--database",
        metavar="URL",
        help="PostgreSQL instead of SQLite: postgresql://user:password@host:port/name; "
        "in $ARCRUN_SERVER_DATABASE, the password stays out of the process list",
    )


def _label(text: str) -> str:
    if not is_label(text):
        raise argparse.ArgumentTypeError(f"a label has {LABEL_RULE}")
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)
