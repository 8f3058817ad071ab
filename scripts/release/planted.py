"""List the faults that are planted into a checkout, each with the step that must find it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.release import versions
from scripts.release.next_release import begin_next_release
from scripts.release.python.contents import WHEEL_BUDGETS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RESPOND_500_ONCE = """

class _RespondOnce:
    def __init__(self, app):
        self.app, self.requests_left = app, {after}

    async def __call__(self, scope, receive, send):
        counts = scope["type"] == "http" and {condition}
        self.requests_left -= counts
        if not counts or self.requests_left:
            return await self.app(scope, receive, send)
        headers = [(b"content-type", b"application/json"), (b"x-request-id", b"fault")]
        await send({{"type": "http.response.start", "status": 500, "headers": headers}})
        body = b'{{"error": "a fault, added on purpose", "code": "internal_error"}}'
        await send({{"type": "http.response.body", "body": body}})


_create_app_without_fault = create_app


def create_app(*arguments, **options):
    app = _create_app_without_fault(*arguments, **options)
    app.add_middleware(_RespondOnce)
    return app
"""

TIME_ZONE_HOOK = """
import os, pathlib
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        pathlib.Path(self.root, "src/arcrun/_zone.py").write_text(repr(os.environ["TZ"]))
"""


@dataclass(frozen=True)
class Fault:
    """One fault of a checkout, and the step that must find it.

    Attributes:
        name: What is wrong.
        step: The step that must say NO-GO.
        add: Adds the fault to a checkout.
        says: What the step must say of it.
        with_npm: Whether the rehearsal includes the npm package; without it, it takes a third of the time.
        whole: Whether the rehearsal is a whole one, which ends with this step; otherwise the step runs alone,
            with those that it needs.
        at_once: Whether a suite says so before it runs a scenario, so that there is no page of what failed.
    """

    name: str
    step: str
    add: Callable[[Path], None]
    says: tuple[str, ...] = ()
    with_npm: bool = False
    whole: bool = False
    at_once: bool = False

    @property
    def options(self) -> list[str]:
        """Return the options of its rehearsal."""
        only = [] if self.whole else ["--only", self.step]
        return [*([] if self.with_npm else ["--python-only"]), *only]

    @property
    def title(self) -> str:
        """Return its name with that of the step."""
        return f"{self.name}: {self.step}"


def _all(*parts: Callable[[Path], None]) -> Callable[[Path], None]:
    def add(root: Path) -> None:
        for part in parts:
            part(root)

    return add


def _replace(file: str, old: str, new: str) -> Callable[[Path], None]:
    def add(root: Path) -> None:
        path = root / file
        text = path.read_text("utf-8")
        if old not in text:
            raise ValueError(f"{file} has no {old!r}: the fault can't be added")
        path.write_text(text.replace(old, new, 1), "utf-8")

    return add


def _write(file: str, text: str, mode: str = "w") -> Callable[[Path], None]:
    def add(root: Path) -> None:
        with (root / file).open(mode, encoding="utf-8") as stream:
            stream.write(text)

    return add


def _without_dated_entries(root: Path) -> None:
    """Take the date out of every entry of the changelog."""
    path = root / "CHANGELOG.md"
    path.write_text(
        re.sub(r"^(## \[.+\]) - \S+$", r"\1", path.read_text("utf-8"), flags=re.MULTILINE), "utf-8"
    )


def _build_by_the_clock(root: Path) -> None:
    """Make the SDK's build write the time zone, which differs between the two builds, into a file."""
    folder = root / "packages/python-sdk"
    (folder / "hatch_build.py").write_text(TIME_ZONE_HOOK, "utf-8")
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write("\n[tool.hatch.build.hooks.custom]\n")


def _stray_file_in_the_npm_package(root: Path) -> None:
    """Make package.json include a file that does not belong in the package."""
    _write("packages/js-sdk/notes.md", "筆記\n")(root)
    _replace("packages/js-sdk/package.json", '"files": [', '"files": ["notes.md", ')(root)


def _respond_500_once(after: int, condition: str) -> Callable[[Path], None]:
    text = RESPOND_500_ONCE.format(after=after, condition=condition)
    return _write("packages/server/src/arcrun_server/app.py", text, mode="a")


FROM_THE_SDK = '(b"user-agent", b"arcrun-python") in [(k, v[:13]) for k, v in scope["headers"]]'

HEALTH = "conformance/scenarios/sdk/health.yaml"
ADAPTER = "conformance/adapters/python_shared.py"
SERVER = "packages/server/src/arcrun_server"
SDK = "packages/python-sdk/src/arcrun"


def _skip_every_scenario(root: Path) -> None:
    """Make every scenario need what no adapter can do."""
    for path in sorted((root / "conformance/scenarios/sdk").glob("*.yaml")):
        text = re.sub(r"^needs: .*\n", "", path.read_text("utf-8"), flags=re.MULTILINE)
        path.write_text(text.replace("\nspec:", "\nneeds: [time_travel]\nspec:", 1), "utf-8")


def _rename_a_scenario(root: Path) -> None:
    """Give a scenario another id, and its file the name that belongs to it."""
    _replace(HEALTH, "id: health\n", "id: wellness\n")(root)
    (root / HEALTH).rename((root / HEALTH).with_stem("wellness"))


def _patch_release(root: Path) -> None:
    begin_next_release(root)


def _minor_release(root: Path) -> None:
    begin_next_release(root, minor=True, breaking=["`creds.list` has another order."])


# What users of the last release can't do with; the step that finds it reads sources, and runs nothing.
_WITHOUT_A_PARAMETER = _replace(
    f"{SDK}/_sync/creds.py", "        sensitivity: Sensitivity | None = None,\n", ""
)
_BREAKS = {
    "a removed parameter": (_WITHOUT_A_PARAMETER, "creds.push `sensitivity` was removed"),
    "a narrowed type": (
        _replace(
            "packages/js-sdk/etc/sdk.api.md",
            'type Sensitivity = "standard" | "high"',
            'type Sensitivity = "standard"',
        ),
        "Sensitivity narrowed its type",
    ),
    "a new required field": (
        _replace(
            "openapi/arcrun.yaml", "required: [name, value]", "required: [name, value, service]"
        ),
        "CredentialPush `service` became required",
    ),
    "a scenario removed from the gate": (
        _replace("conformance/gate.yaml", "      - account-names\n", ""),
        "account-names is no longer in the gate",
    ),
}

FAULTS = (
    Fault(
        "a version that differs",
        "versions",
        _write("conformance/src/arcrun_conformance/_version.py", '__version__ = "9.9.9"\n'),
        whole=True,
    ),
    Fault(
        "a version of the npm package that differs",
        "versions",
        _replace("packages/js-sdk/package.json", '"version": "', '"version": "9.'),
        whole=True,
    ),
    Fault("a missing changelog entry", "versions", _without_dated_entries, whole=True),
    *(
        Fault(
            f"{name} in a patch release",
            "compatibility",
            _all(_patch_release, add),
            says=("it must be at least", what),
        )
        for name, (add, what) in _BREAKS.items()
    ),
    Fault(
        "a break that the changelog does not name",
        "compatibility",
        _all(_minor_release, _WITHOUT_A_PARAMETER),
        says=("names these in no item", "creds.push `sensitivity` was removed"),
        whole=True,
    ),
    Fault("a build that is not reproducible", "build", _build_by_the_clock),
    Fault("a stray file in the wheel", "check", _write(f"{SDK}/notes.txt", "筆記\n"), whole=True),
    Fault(
        "a wheel over its budget",
        "check",
        _replace(
            "scripts/release/python/contents.py",
            f"SDK: {WHEEL_BUDGETS[versions.SDK]}",
            "SDK: 8",
        ),
    ),
    Fault(
        "an npm build that is not reproducible",
        "npm_build",
        _replace(
            "packages/js-sdk/tsup.config.ts",
            "defineConfig({",
            "defineConfig({ banner: { js: `// ${process.env.TZ}` },",
        ),
        with_npm=True,
    ),
    Fault(
        "a stray file and an install script in the npm package",
        "npm_check",
        _all(
            _stray_file_in_the_npm_package,
            _replace(
                "packages/js-sdk/package.json", '"scripts": {', '"scripts": {"postinstall": "", '
            ),
        ),
        says=("notes.md", "postinstall"),
        with_npm=True,
    ),
    Fault(
        "an API report that says less than the JavaScript SDK offers",
        "npm_check",
        _replace(
            "packages/js-sdk/etc/sdk.api.md",
            'type Sensitivity = "standard" | ',
            "type Sensitivity = ",
        ),
        says=("sdk.api.md",),
        with_npm=True,
    ),
    Fault(
        "an engine whose workflows write the page that they read",
        "example",
        _replace(
            f"{SERVER}/kbdb/components.py",
            'return f"{invocation.workflow}/{about}"',
            "return about",
        ),
        says=("page wiki_synthesis/河道: [] instead of",),
    ),
    Fault(
        "a JavaScript SDK that changes the text of a recipe",
        "npm_example",
        _replace(
            "packages/js-sdk/src/stored/recipes.ts",
            "const request = pushRecipe(kind, recipe, ",
            "recipe = typeof recipe === 'string' ? recipe.trim() : recipe;\n"
            "    const request = pushRecipe(kind, recipe, ",
        ),
        says=("source: ",),
        with_npm=True,
    ),
    Fault(
        "a command line that prints progress among its results",
        "faces",
        _replace(
            "packages/python-sdk/src/arcrun/cli/console.py",
            "print(shown(text), file=sys.stderr, flush=True)",
            "print(shown(text), flush=True)",
        ),
        says=("is not JSON: acr",),
    ),
    Fault(
        "an MCP server that reports a failed run as a result",
        "faces",
        _replace("packages/python-sdk/src/arcrun/mcp/server.py", "is_error=True", "is_error=False"),
        says=("workflow_run",),
    ),
    Fault("an engine that returns 500 once", "fuzz", _respond_500_once(100, "True")),
    Fault(
        "an engine that forgets idempotency keys after minutes",
        "engine_suite",
        _replace(
            f"{SERVER}/store/idempotency.py",
            "KEPT_SECONDS = 24 * 60 * 60",
            "KEPT_SECONDS = 24 * 60",
        ),
        says=("idempotency-lifetime",),
    ),
    Fault(
        "an engine that returns 500 once, to an SDK that retries",
        "conformance",
        _respond_500_once(3, FROM_THE_SDK),
        says=("no-internal-errors",),
    ),
    Fault(
        "an SDK that swaps the names of two errors",
        "conformance",
        _all(
            _replace(
                f"{SDK}/_core/errors.py", "401: AuthenticationError", "401: PermissionDeniedError"
            ),
            _replace(
                f"{SDK}/_core/errors.py", "403: PermissionDeniedError", "403: AuthenticationError"
            ),
        ),
        says=('expected "permission_denied", got "authentication"',),
    ),
    Fault(
        "a bill of materials that is another each time",
        "sbom",
        _replace(
            "scripts/release/sbom.py", "uuid.uuid5(uuid.NAMESPACE_URL, f", "uuid.uuid4() or (f"
        ),
        says=("sbom-arcrun.json differs when it is written twice",),
    ),
    Fault(
        "a scenario that fails, with half a character in the adapter's reply",
        "conformance",
        _replace(
            ADAPTER,
            "        result = getattr(host, name)(**command)\n",
            "        result = getattr(host, name)(**command)\n"
            '        result = "\\ud800" if command.get("method") == "health" else result\n',
        ),
        says=("health",),
    ),
    Fault(
        "a scenario of the gate that is skipped",
        "conformance",
        _replace(HEALTH, "\nspec:", "\nneeds: [time_travel]\nspec:"),
        says=("health",),
    ),
    Fault(
        "a scenario renamed away from the gate",
        "conformance",
        _rename_a_scenario,
        says=("the gate needs the scenario health, which does not exist",),
        at_once=True,
    ),
    Fault(
        "a run in which everything is skipped",
        "conformance",
        _skip_every_scenario,
        says=("nothing was checked",),
    ),
    Fault(
        "a generated file that is out of date",
        "tests",
        _write(f"{SDK}/_sync/client.py", "\n", mode="a"),
        says=("_sync/client.py is not what its source translates to",),
    ),
    Fault(
        "credentials deleted in every account, and what only unit tests notice",
        "tests",
        _all(
            _replace(
                f"{SERVER}/store/credentials.py",
                "delete(credentials).where(_table.account == account, _table.name == name)",
                "delete(credentials).where(_table.name == name)",
            ),
            # The suites start one server for each folder, and their adapters do not fork.
            _replace(f"{SERVER}/store/folder.py", "fcntl.LOCK_EX", "fcntl.LOCK_SH"),
            _replace(f"{SDK}/_concurrency.py", "return os.getpid(), None", "return 0, None"),
            _replace(f"{SDK}/_concurrency.py", "return os.getpid(), loop", "return 0, loop"),
            _replace(f"{SDK}/_concurrency.py", "process == os.getpid()", "process == 0"),
        ),
        says=(
            "test_accounts_do_not_see_each_other",
            "test_one_server_at_a_time_uses_a_data_folder",
            "test_a_child_opens_connections_of_its_own",
        ),
    ),
    Fault(
        "an SDK that suggests wrong names, which only its own tests notice",
        "npm_tests",
        _replace("packages/js-sdk/src/core/nearest.ts", "[`; did you mean", "[`; or do you mean"),
        says=("tests/core/nearest.test.ts",),
        with_npm=True,
    ),
)
