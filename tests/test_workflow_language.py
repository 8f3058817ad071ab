"""Every example of the pages for workflow authors runs, and gives the result that stands below it."""

import email
import email.policy
import importlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
import yaml

from arcrun import APIStatusError, Arcrun, WorkflowPaused
from arcrun_server.engine.clock import TIME_NAMES
from arcrun_server.engine.labels import LABELS

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("docs/workflow-language.md", "docs/components.md")
PAGE = "\n".join((ROOT / page).read_text("utf-8") for page in PAGES)
KINDS = {
    "python",
    "yaml workflow",
    "yaml auth-recipe",
    "yaml api-recipe",
    "json credentials",
    "json input",
    "json result",
    "json error",
    "json paused",
}
# The server that the examples call; the tests put their own in its place.
EXAMPLE_SERVER = "https://weather.example"


@dataclass
class Example:
    """A workflow of the pages: what its run is given, and what it must give.

    One without an expectation is stored for the examples after it, as credentials and recipes are.
    """

    name: str
    document: str
    before: list[tuple[str, str]]
    input: dict[str, Any] = field(default_factory=dict)
    expected: tuple[str, Any] | None = None


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the fenced blocks: what stands behind the fence, and the content."""
    return re.findall(r"^```([^\n]+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def examples(page: str) -> list[Example]:
    """Read the examples, each with what is stored before it."""
    found: list[Example] = []
    stored: list[tuple[str, str]] = []
    for kind, content in blocks(page):
        if kind == "yaml workflow":
            if found and found[-1].expected is None:
                stored.append((kind, found[-1].document))
            found.append(Example(yaml.safe_load(content)["name"], content, list(stored)))
        elif kind == "json input":
            found[-1].input = json.loads(content)
        elif kind in {"json result", "json error", "json paused"}:
            found[-1].expected = (kind, json.loads(content))
        else:
            stored.append((kind, content))
    return found


EXAMPLES = examples(PAGE)


def fields_of(kind: str, body: bytes) -> dict[str, Any]:
    """Return the fields of a multipart form: text, or of a file its name, type and size."""
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    found: dict[str, Any] = {}
    for part in email.message_from_bytes(head + body, policy=email.policy.HTTP).iter_parts():
        content = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        found[name] = content.decode()
        if part.get_filename():
            found[name] = [part.get_filename(), part.get_content_type(), len(content)]
    return found


class ExampleServer(BaseHTTPRequestHandler):
    """The server that the page calls `weather.example`."""

    responses: ClassVar[dict[str, tuple[int, Any]]] = {
        "/v1/taipei": (200, {"城市": "台北", "溫度": 21}),
        "/v1/broken": (503, "維護中"),  # under maintenance
        "/v1/pending": (200, {"pending": True, "task_id": "審核-1"}),
    }

    asked: ClassVar[int] = 0

    def do_GET(self) -> None:
        """Return one of the responses, or repeat the request's Authorization."""
        echo = (200, {"authorization": self.headers["Authorization"]})
        if self.path == "/v1/busy":
            type(self).asked += 1
            # Busy; not busy any more.
            echo = (503, "忙") if self.asked % 2 else (200, "不忙了")
        self.respond(*self.responses.get(self.path, echo))

    def do_POST(self) -> None:
        """Return one of the responses, or repeat the request's body: JSON, or the fields of a form with files."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers["Content-Type"]
        got = fields_of(kind, body) if kind.startswith("multipart/") else json.loads(body)
        self.respond(*self.responses.get(self.path, (200, {"got": got})))

    def respond(self, status: int, body: Any) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if text != body else "text/plain")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def example_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), ExampleServer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def client(engine: dict[str, str]) -> Iterator[Arcrun]:
    with Arcrun(base_url=engine["url"], api_key=engine["key"]) as made:
        yield made


def store(client: Arcrun, engine: dict[str, str], kind: str, content: str) -> None:
    """Store what an example builds on."""
    if kind == "json credentials":
        for name, value in json.loads(content).items():
            client.creds.push(name, value)
    elif kind == "yaml workflow":
        document = yaml.safe_load(content)
        client.workflows.push(document["name"], document)
    elif kind in {"yaml auth-recipe", "yaml api-recipe"}:
        path = "/auth-recipes" if kind == "yaml auth-recipe" else "/recipes"
        headers = {"X-Arcrun-API-Key": engine["key"]}
        pushed = httpx.post(engine["url"] + path, json=yaml.safe_load(content), headers=headers)
        assert pushed.status_code == 200, pushed.text


def outcome(client: Arcrun, document: dict[str, Any], given: dict[str, Any]) -> tuple[str, Any]:
    """Push and run a workflow; return what came of it, and as which kind of block the page shows it."""
    try:
        client.workflows.push(document["name"], document)
        return "json result", client.workflows.run(document["name"], given)["data"]
    except WorkflowPaused as paused:
        return "json paused", {"node": paused.node, "task_id": paused.task_id}
    except APIStatusError as error:
        node = getattr(error, "failed_node", None)
        fields = {"code": error.code, "error": error.message, "failed_node": node}
        return "json error", fields | {"details": list(error.details)}


def fits(expected: Any, actual: Any, *, more: bool = False) -> bool:
    """Tell whether a value is the expected one, where `…` stands for any text.

    Args:
        expected: What the page says.
        actual: What came.
        more: Whether objects may have more fields.
    """
    if expected == "…":
        return True
    if isinstance(expected, dict) and isinstance(actual, dict):
        return (more or expected.keys() == actual.keys()) and all(
            key in actual and fits(value, actual[key], more=more) for key, value in expected.items()
        )
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(
            fits(one, other, more=more) for one, other in zip(expected, actual, strict=True)
        )
    if isinstance(expected, str) and "…" in expected and isinstance(actual, str):
        pattern = ".+".join(map(re.escape, expected.split("…")))
        return re.fullmatch(pattern, actual, re.DOTALL) is not None
    return bool(expected == actual)


# Some examples show what becomes of a placeholder that finds nothing; the SDK warns of these.
@pytest.mark.filterwarnings("ignore::arcrun.WorkflowWarning")
@pytest.mark.parametrize(
    "example", [each for each in EXAMPLES if each.expected], ids=lambda each: each.name
)
def test_the_example_gives_the_result_that_stands_below_it(
    example: Example, client: Arcrun, engine: dict[str, str], example_server: str
) -> None:
    for kind, content in example.before:
        store(client, engine, kind, content.replace(EXAMPLE_SERVER, example_server))
    document = yaml.safe_load(example.document.replace(EXAMPLE_SERVER, example_server))
    kind, actual = outcome(client, document, example.input)
    assert example.expected is not None
    assert kind == example.expected[0], actual
    assert fits(example.expected[1], actual, more=kind == "json error"), actual


def test_the_python_code_runs(engine: dict[str, str]) -> None:
    (code,) = [content for kind, content in blocks(PAGE) if kind == "python"]
    ran = subprocess.run(
        [sys.executable, "-X", "utf8", "-W", "error", "-c", code],
        env={**os.environ, "ARCRUN_BASE_URL": engine["url"], "ARCRUN_API_KEY": engine["key"]},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ("{'text': 'HELLO, 世界'}\n", "")


def test_no_block_of_the_pages_is_left_out() -> None:
    assert {kind for kind, _ in blocks(PAGE)} == KINDS
    assert PAGE.count("\n```") == 2 * len(blocks(PAGE))


def test_no_two_examples_have_the_same_name() -> None:
    names = [example.name for example in EXAMPLES]
    assert len(set(names)) == len(names)


def test_the_table_of_edges_has_every_label() -> None:
    rows = re.findall(r"^\| ([A-Z_]+) \| ([^|]+) \|", PAGE, re.MULTILINE)
    written = {label: kind for kind, labels in rows for label in labels.strip().split(", ")}
    assert written == dict(LABELS)


def section(heading: str) -> str:
    """Return what stands below a heading of the pages, up to the next one."""
    return PAGE.partition(f"\n{heading}\n")[2].partition("\n#")[0]


def test_every_component_has_a_section() -> None:
    folder = ROOT / "packages/server/src/arcrun_server/components"
    files = [path for path in folder.glob("*.py") if "\nCONTRACT" in path.read_text("utf-8")]
    assert files
    assert [path.stem for path in files if not section(f"## {path.stem}")] == []


@pytest.mark.parametrize("component", ["array_ops", "string_ops", "number_ops", "date_ops"])
def test_the_table_of_a_component_has_every_operation(component: str) -> None:
    contract = importlib.import_module(f"arcrun_server.components.{component}").CONTRACT
    cells = re.findall(r"^\| ([a-z0-9_, ]+) \|", section(f"## {component}"), re.MULTILINE)
    written = [operation for cell in cells for operation in cell.split(", ")]
    assert sorted(written) == sorted(contract["input_schema"]["properties"]["operation"]["enum"])


def test_the_table_of_times_has_every_variable() -> None:
    assert set(re.findall(r"`(_\w+)`", section("### Time"))) == TIME_NAMES


@pytest.mark.parametrize(
    ("expected", "actual", "verdict"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ("Node 甲 failed: …", "Node 甲 failed: x", True),
        ("Node 甲 failed: …", "Node 乙 failed: x", False),
        ([1], [1, 2], False),
        ({"a": "…"}, {}, False),
    ],
)
def test_a_result_that_differs_does_not_fit(expected: Any, actual: Any, verdict: bool) -> None:
    assert fits(expected, actual) is verdict
