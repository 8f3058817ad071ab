"""As much of `systemctl` as docs/operating.md needs, for tests: it runs what the page's unit files say.

Arguments: the folder that stands for the machine's root, then those of `systemctl`. Users, sandboxing and timers are
systemd's own: of a timer, it is only noted that it was enabled.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

WAIT = 60


class Unit:
    """A unit file, with the name of its instance filled in."""

    def __init__(self, root: Path, name: str) -> None:
        kind = name.partition(".")[2]
        base, at, instance = name.removesuffix(f".{kind}").partition("@")
        path = root / "etc/systemd/system" / f"{base}{at}.{kind}"
        self.root, self.name = root, name
        self._lines = [
            line.partition("=")
            for line in path.read_text("utf-8").replace("%i", instance).splitlines()
            if not line.startswith(("#", "["))
        ]

    def values(self, key: str) -> list[str]:
        return [value.replace("%%", "%") for name, _, value in self._lines if name == key]

    @property
    def pid_file(self) -> Path:
        return self.root / "run" / f"{self.name}.pid"

    def environment(self) -> dict[str, str]:
        assignments = self.values("Environment")
        for file in self.values("EnvironmentFile"):
            assignments += [
                shlex.split(line)[0]
                for line in Path(file).read_text("utf-8").splitlines()
                if line and not line.startswith("#")
            ]
        return dict(assignment.split("=", 1) for assignment in assignments)

    def start(self) -> None:
        if self.name.endswith(".timer"):
            self.pid_file.touch()
            return
        for names in self.values("StateDirectory"):
            for name in names.split():
                (self.root / "var/lib" / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        environment = {"PATH": os.environ["PATH"], **self.environment()}
        if self.values("Type") == ["oneshot"]:
            for command in self.values("ExecStart") + self.values("ExecStartPost"):
                subprocess.run(shlex.split(command), env=environment, check=True)
            return
        [command] = self.values("ExecStart")
        with (self.root / "run" / f"{self.name}.log").open("ab") as log:
            process = subprocess.Popen(
                shlex.split(command),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.pid_file.write_text(str(process.pid))

    def stop(self) -> None:
        pid = int(self.pid_file.read_text())
        self.pid_file.unlink()
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + WAIT
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                sys.exit(f"{self.name} does not stop")
            time.sleep(0.05)


def main(root: Path, verb: str, *arguments: str) -> None:
    units = [Unit(root, name) for name in arguments if not name.startswith("--")]
    if verb == "daemon-reload":
        return
    if verb not in {"start", "stop", "enable"} or (verb == "enable" and "--now" not in arguments):
        sys.exit(f"this stand-in for systemctl knows no {verb}")
    for unit in units:
        unit.stop() if verb == "stop" else unit.start()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
