"""docs/operating.md: each command of the page, in its order, on a machine that is a folder."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postgresql_server import PostgreSQLServer

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("curl") is None,
    reason="the page is for Linux, and uses curl",
)

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parents[2] / "docs" / "operating.md"
WAIT = 120

# What stands for programs that need root, a network, or the machine itself. The rest is real.
STAND_INS = {
    "sudo": """
        while :; do
            case "$1" in -u) shift 2 ;; --preserve-env=*) shift ;; *) break ;; esac
        done
        exec "$@" """,
    "useradd": ":",
    "install": """
        kept=
        while [ $# -gt 0 ]; do
            case "$1" in -o | -g) shift 2 ;; *) kept="$kept '$1'"; shift ;; esac
        done
        eval exec /usr/bin/install $kept """,
    "systemctl": f'exec "{sys.executable}" "{TESTS / "systemctl.py"}" "$ROOT" "$@"',
    # Makes an environment in which our package seems to be installed by its pip.
    "python3": f"""
        [ "$1 $2" = "-m venv" ] || exit 1
        mkdir -p "$3/bin"
        printf '#!/bin/sh\\nexec "{sys.executable}" -m arcrun_server "$@"\\n' > "$3/bin/arcrun-server"
        printf '#!/bin/sh\\necho "$@" >> "$ROOT/run/pip"\\n' > "$3/bin/pip"
        chmod +x "$3/bin/arcrun-server" "$3/bin/pip" """,
}


class Block(NamedTuple):
    """A fenced block of the page, and the headings that it stands under."""

    section: str
    language: str
    text: str


def blocks_of(page: str) -> Iterator[Block]:
    headings: list[str] = []
    for heading, language, text in re.findall(
        r"^(##+ [^\n]+)$|^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL
    ):
        if heading:
            marks, _, title = heading.partition(" ")
            headings[len(marks) - 2 :] = [title]
        else:
            yield Block(" / ".join(headings), language, text)


BLOCKS = list(blocks_of(PAGE.read_text("utf-8")))
ONE = ("One machine", "Check", "Back up / SQLite", "Restore / SQLite", "Upgrade / One machine")
MANY = (
    "Many machines",
    "Back up / PostgreSQL",
    "Restore / PostgreSQL",
    "Upgrade / Many machines",
)


class Machine:
    """A folder that stands for the root of a machine, with the page's unit files.

    Args:
        root: The folder.
        ports: For each port of the page, one that is free here.
        database_url: What stands for the page's URL of a database.
        environment: For all commands.
    """

    def __init__(
        self,
        root: Path,
        ports: dict[str, str],
        database_url: str = "",
        environment: dict[str, str] | None = None,
    ) -> None:
        self.root = root
        self.ports = ports
        self._database_url = database_url
        self._environment = environment or {}
        for folder in ("bin", "run", "etc/systemd/system", "etc/arcrun", "var/lib", "opt", "home"):
            (root / folder).mkdir(parents=True)
        for name, script in STAND_INS.items():
            path = root / "bin" / name
            path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
            path.chmod(0o755)
        for block in BLOCKS:
            if block.language == "ini":
                path = Path(self._here(block.text.split()[1]))
                path.write_text(self._here(block.text), "utf-8")

    def _here(self, text: str) -> str:
        """Return a text of the page with the paths, ports and the database of this machine."""
        for port, here in self.ports.items():
            text = text.replace(port, here)
        text = re.sub(r"'postgresql://\S+'", f"'{self._database_url}'", text)
        return re.sub(r"(?<![\w./])/(opt|var|etc)/", rf"{self.root}/\1/", text)

    def run(self, text: str) -> str:
        """Run a block as a shell does that ends with the first command that fails, and return what it prints."""
        kept = {name: value for name, value in os.environ.items() if "ARCRUN" not in name}
        path = f"{self.root / 'bin'}:{self._environment.get('PATH', '')}:{os.environ['PATH']}"
        ran = subprocess.run(
            ["sh", "-e", "-c", self._here(text)],
            env={**kept, **self._environment, "PATH": path, "ROOT": str(self.root)},
            cwd=self.root / "home",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT,
            check=False,
        )
        logs = "".join(log.read_text() for log in (self.root / "run").glob("*.log"))
        assert ran.returncode == 0, f"{text}\n{ran.stdout}{ran.stderr}\n{logs}"
        return ran.stdout

    def close(self) -> None:
        """End the servers that still run."""
        for file in (self.root / "run").glob("*.service.pid"):
            os.kill(int(file.read_text()), signal.SIGKILL)


def free_ports(*ports: str) -> dict[str, str]:
    found = {}
    taken = []
    for port in ports:
        taken.append(socket.socket())
        taken[-1].bind(("127.0.0.1", 0))
        found[port] = str(taken[-1].getsockname()[1])
    for one in taken:
        one.close()
    return found


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Callable[..., Machine]]:
    """Make machines whose servers end with the test."""
    made: list[Machine] = []

    def make(name: str, **options: object) -> Machine:
        new = Machine(tmp_path / name, free_ports("8787", "8788"), **options)
        made.append(new)
        return new

    yield make
    for one in made:
        one.close()


def commands(section: str) -> list[str]:
    return [block.text for block in BLOCKS if (block.section, block.language) == (section, "sh")]


def test_every_command_of_the_page_is_run() -> None:
    sections = {block.section for block in BLOCKS if block.language == "sh"}
    assert sections == {*ONE, *MANY}


def test_one_machine_is_set_up_backed_up_restored_and_upgraded(
    machine: Callable[..., Machine],
) -> None:
    here = machine("one")
    backups = here.root / "var/lib/arcrun-backups"
    install, start = commands("One machine")
    here.run(install)
    printed = here.run(start)
    assert '"ok":true' in printed
    [key] = re.findall(r"ak_\w+", printed)
    url = f"http://127.0.0.1:{here.ports['8787']}"

    def names() -> list[str]:
        listed = httpx.get(f"{url}/credentials", headers={"X-Arcrun-API-Key": key}).json()
        return [entry["name"] for entry in listed["credentials"]]

    def store(name: str) -> None:
        sent = {"name": name, "value": "v"}
        headers = {"X-Arcrun-API-Key": key}
        assert httpx.post(f"{url}/credentials", json=sent, headers=headers).status_code == 200

    [check] = commands("Check")
    assert "fail" not in here.run(check)

    store("before")
    first, nightly = commands("Back up / SQLite")
    here.run(first)
    store("after")
    old, kept = backups / "2020-01-01T030000Z.zip", backups / "by-hand.zip"
    for path in (old, kept):
        path.touch()
        os.utime(path, (0, 0))
    here.run(nightly)
    assert (here.root / "run" / "arcrun-backup.timer.pid").exists()
    tonight = time.strftime("%Y-%m-%dT", time.gmtime())
    made = sorted(path.name for path in backups.iterdir())
    assert made[1:] == ["by-hand.zip", "first.zip"]
    assert re.fullmatch(rf"{tonight}\d{{6}}Z\.zip", made[0])

    [restore] = commands("Restore / SQLite")
    here.run(restore)
    responds(url)
    assert names() == ["before"]

    [upgrade] = commands("Upgrade / One machine")
    here.run(upgrade)
    responds(url)
    assert names() == ["before"]
    assert (backups / "before-upgrade.zip").stat().st_size > 0
    assert (here.root / "run/pip").read_text().splitlines() == [
        "install arcrun-server",
        "install --upgrade arcrun-server",
    ]


@pytest.fixture
def database(postgresql: PostgreSQLServer) -> Iterator[tuple[str, dict[str, str]]]:
    """The URL of the database that the page makes, and what PostgreSQL's programs need to find its server."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    where = conninfo_to_dict(postgresql.url())
    environment = {
        "PGUSER": "postgres",
        "PGHOST": str(where["host"]),
        "PATH": str(postgresql.programs),
    }
    if "port" in where:
        environment["PGPORT"] = str(where["port"])
    yield postgresql.url("arcrun").replace("postgres:@", "arcrun:PASSWORD@"), environment
    with psycopg.connect(postgresql.url(), autocommit=True) as connection:
        for statement in (
            "DROP DATABASE IF EXISTS arcrun WITH (FORCE)",
            "DROP DATABASE IF EXISTS arcrun_before WITH (FORCE)",
            "DROP ROLE IF EXISTS arcrun",
        ):
            connection.execute(statement)


def test_many_machines_are_set_up_backed_up_restored_and_upgraded(
    machine: Callable[..., Machine], database: tuple[str, dict[str, str]]
) -> None:
    url, environment = database
    here, there = (
        machine(name, database_url=url, environment=environment) for name in ("one", "two")
    )
    install = commands("One machine")[0]
    for one in (here, there):
        one.run(install.replace("arcrun-server", "'arcrun-server[postgresql]'", 1))
    create, start, copy_key, use = commands("Many machines")
    here.run(create)
    assert here.run(start).count('"bundle_version"') == 2
    shutil.copy(here.root / "var/lib/arcrun/server.key", there.root / "home/server.key")
    there.run(copy_key)
    assert there.run(start).count('"bundle_version"') == 2
    printed = there.run(use)
    [key] = re.findall(r"ak_\w+", printed)
    assert "fail" not in printed
    assert "PostgreSQL" in printed

    def names(one: Machine, port: str) -> list[str]:
        base = f"http://127.0.0.1:{one.ports[port]}"
        responds(base)
        listed = httpx.get(f"{base}/credentials", headers={"X-Arcrun-API-Key": key}).json()
        return [entry["name"] for entry in listed["credentials"]]

    def store(name: str) -> None:
        base = f"http://127.0.0.1:{here.ports['8788']}"
        sent = {"name": name, "value": "v"}
        headers = {"X-Arcrun-API-Key": key}
        assert httpx.post(f"{base}/credentials", json=sent, headers=headers).status_code == 200

    store("before")
    [dump] = commands("Back up / PostgreSQL")
    here.run(dump)
    store("after")
    assert names(there, "8787") == ["after", "before"]

    [restore] = commands("Restore / PostgreSQL")
    there.run(restore.splitlines()[0])  # it stops the servers of this machine
    here.run(restore)
    assert names(here, "8787") == names(here, "8788") == ["before"]

    [upgrade] = commands("Upgrade / Many machines")
    said = here.run(upgrade)
    assert re.search(r"^ok +schema ", said, re.MULTILINE)


def responds(url: str) -> None:
    """Wait until a server responds."""
    deadline = time.monotonic() + WAIT
    with httpx.Client(base_url=url) as client:
        while True:
            try:
                assert client.get("/health").status_code == 200
            except httpx.ConnectError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            else:
                return


def test_systemd_accepts_the_unit_files(machine: Callable[..., Machine]) -> None:
    here = machine("one")
    here.run(commands("One machine")[0])
    units = sorted((here.root / "etc/systemd/system").iterdir())
    assert {unit.suffix for unit in units} == {".service", ".timer"}
    for unit in units:
        for line in unit.read_text("utf-8").splitlines():
            assert re.fullmatch(r"#.*|\[(Unit|Service|Timer|Install)\]|[A-Z]\w+=.*|", line), line
    if shutil.which("systemd-analyze") is None:
        return
    [template] = [unit for unit in units if unit.stem.endswith("@")]
    units[units.index(template)] = template.rename(template.with_stem(f"{template.stem}8787"))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )
    complaints = [line for line in verified.stderr.splitlines() if "arcrun" in line]
    assert complaints == []


def test_every_setting_stands_on_the_servers_page() -> None:
    server = TESTS.parent
    settings = (server / "src/arcrun_server/settings.py").read_text("utf-8")
    _, _, code = settings.partition("_TESTING = (")
    for_tests, _, code = code.partition(")")
    names = set(re.findall(r'"(ARCRUN_SERVER_\w+)"', code)) - set(re.findall(r'"(\w+)"', for_tests))
    page = (server / "README.md").read_text("utf-8")
    assert {"ARCRUN_SERVER_RUN_DAYS", "ARCRUN_SERVER_PUBLIC_URL"} <= names
    others = {"ARCRUN_SERVER_LLM_SCRIPT"}  # docs/prompt-recipes.md#providers
    assert {name for name in names - others if f"| `{name}` |" not in page} == set()


def test_both_servers_have_the_same_hardening() -> None:
    single, many = (
        block.text.partition("UMask")[2]
        for block in BLOCKS
        if block.language == "ini" and "ExecStart=/opt/arcrun/bin/arcrun-server serve" in block.text
    )
    assert single == many
    assert "SystemCallFilter" in single


def test_load_balancer_asks_the_ports_of_the_units() -> None:
    [balancer] = [
        block.text
        for block in BLOCKS
        if block.section == "Many machines" and "reverse_proxy" in block.text
    ]
    started = set(re.findall(r"arcrun-server@(\d+)", "".join(commands("Many machines"))))
    assert set(re.findall(r":(\d+)", balancer)) == started
