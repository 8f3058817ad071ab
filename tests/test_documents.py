"""What documents, docstrings, comments and messages name exists: links, files, modules, sessions, routes.

Each check looks at one file and returns what is wrong in it. They run for each part of the repository, so that a failure
says whose it is.
"""

import fnmatch
import functools
import posixpath
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent

# Parts of the repository: the first prefix that fits counts.
AREAS = {
    "server": "packages/server/",
    "python-sdk": "packages/python-sdk/",
    "js-sdk": "packages/js-sdk/",
    "website": "packages/website/",
    "conformance": "conformance/",
    "scripts": "scripts/",
    "github": ".github/",
    "openapi": "openapi/",
    "tests": "tests/",
    "documents": "",
}
TEXT = {
    ".md",
    ".py",
    ".ts",
    ".mjs",
    ".cjs",
    ".js",
    ".sh",
    ".yaml",
    ".yml",
    ".toml",
    ".json",
    ".html",
}
LOCK_FILES = {"package-lock.json", "uv.lock"}

# Endings by which a name without a folder is taken for a file of the repository.
SOURCES = {".md", ".py", ".ts", ".mjs", ".yaml", ".toml"}

# What a command of ours makes; it is in no checkout.
GENERATED = (
    *("dist/", "evidence/", "reports/", "summary.md"),
    *("packages/website/out", "packages/website/src/generated"),
)
# What stands in a path for a name of the reader's choice.
PLACEHOLDER = re.compile(r"D|DIR|ID|NAME|SERVICE|\w+_N")
# Packages of ours and where they are; dotted names below them must exist.
PACKAGES = {
    "arcrun_server": "packages/server/src/",
    "arcrun_conformance": "conformance/src/",
    "scripts": "",
}
# Routes of the hosted engine that ours does not have, and why they are named.
HOSTED_ROUTES = {
    "GET /credentials/catalog": "why the name `catalog` is reserved",
    "POST /init": "global in effect there, so the suite never sends it",
}

SPAN = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^(```+|~~~+).*?^\1\s*$", re.MULTILINE | re.DOTALL)
PATH = re.compile(r"[\w.@*-]+(?:/[\w.@*-]+)*/?")
# One that a stand-in for a service takes is none of the engine's.
ROUTE = re.compile(r"\b(GET|POST|PUT|DELETE|PATCH) (/[\w{}/.-]*)(?![\w{}/.-]| \(standin\))")


class Repository:
    """A checkout: its files, and what is looked up in them again and again."""

    def __init__(self, root: Path, files: list[str]) -> None:
        self.root = root
        self.files = files

    @functools.cached_property
    def endings(self) -> set[str]:
        """Every file and folder, by each end of its path that begins at a slash."""
        found = set()
        for file in self.files:
            parts = file.split("/")
            for end in range(1, len(parts) + 1):
                found |= {"/".join(parts[start:end]) for start in range(end)}
        return found

    @functools.cached_property
    def top_folders(self) -> set[str]:
        return {file.partition("/")[0] for file in self.files if "/" in file}

    @functools.cached_property
    def sessions(self) -> set[str]:
        """The sessions of the noxfile."""
        return set(re.findall(r"^def (\w+)\(session: nox", self.text("noxfile.py"), re.MULTILINE))

    @functools.cached_property
    def routes(self) -> list[re.Pattern[str]]:
        """The routes of the contract; a parameter fits any segment."""
        paths = yaml.safe_load(self.text("openapi/arcrun.yaml"))["paths"]
        return [
            re.compile(f"{method.upper()} " + re.sub(r"{\w+}", "[^/]+", path))
            for path, item in paths.items()
            for method in item
            if method != "parameters"
        ]

    def text(self, path: str) -> str:
        return text_of(self.root / path)

    def anchors(self, path: str) -> set[str]:
        return anchors_of(self.root / path)

    def has(self, path: str) -> bool:
        """Tell whether there is such a file or folder, by its whole path or the end of one."""
        path = posixpath.normpath(path)
        if "*" in path:
            return any(fnmatch.fnmatch(known, path) for known in self.endings)
        return path == "." or path in self.endings

    def has_module(self, name: str) -> bool:
        """Tell whether a dotted name is a module of ours, or something that one has."""
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            path = PACKAGES[parts[0]] + "/".join(parts[:length])
            for file in (f"{path}.py", f"{path}/__init__.py"):
                if file in self.endings:
                    rest = parts[length : length + 1]
                    return not rest or re.search(rf"\b{rest[0]}\b", self.text(file)) is not None
        return False


@functools.cache
def text_of(file: Path) -> str:
    """Return a file's text; nothing for one that is binary, or deleted and not yet staged."""
    try:
        return file.read_text("utf-8")
    except (UnicodeDecodeError, FileNotFoundError):
        return ""


@functools.cache
def anchors_of(document: Path) -> set[str]:
    """Return the anchors of a document's headings, by GitHub's rules."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", prose(text_of(document)), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        same = sum(1 for anchor in found if re.fullmatch(rf"{re.escape(slug)}(-\d+)?", anchor))
        found.add(f"{slug}-{same}" if slug in found else slug)
    return found


def prose(text: str) -> str:
    """Return a document without its fenced blocks."""
    return FENCE.sub("", text)


def spans(path: str, text: str) -> Iterator[str]:
    """Return what stands in backticks; in JavaScript, in comments only, for strings use them too."""
    if path.endswith((".ts", ".mjs", ".cjs", ".js")):
        text = "\n".join(re.findall(r"^\s*(?:/?\*\*?|//).*$", text, re.MULTILINE))
    yield from SPAN.findall(prose(text) if path.endswith(".md") else text)


def dead_links(repository: Repository, path: str) -> list[str]:
    """Find the links of a document that lead nowhere."""
    if not path.endswith(".md"):
        return []
    text = SPAN.sub("", prose(repository.text(path)))
    links = re.findall(r"\]\(<?([^)>\s]+)", text) + re.findall(
        r"^\[[^\]]+\]: *(\S+)", text, re.MULTILINE
    )
    problems = []
    for link in links:
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path
        if not (repository.root / target).exists():
            problems.append(f"the link {link} leads nowhere")
        elif anchor and target.endswith(".md") and anchor not in repository.anchors(target):
            problems.append(f"the link {link} has an anchor that {target} lacks")
    return problems


def dead_citations(repository: Repository, path: str) -> list[str]:
    """Find citations such as `docs/contract.md` with an anchor, in any file, that lead nowhere."""
    problems = []
    for file, anchor in re.findall(
        r"(?<![\w/.-])(?<!\]\()(docs/[\w-]+\.md)(?:#([\w-]+))?", repository.text(path)
    ):
        if file not in repository.files:
            problems.append(f"there is no {file}")
        elif anchor and anchor not in repository.anchors(file):
            problems.append(f"{file} has no anchor #{anchor}")
    return problems


def looks_like_a_path(repository: Repository, name: str) -> bool:
    """Tell whether something in backticks can only be a file or folder of the repository."""
    folder, slash, _ = name.partition("/")
    suffix = Path(name).suffix
    return (
        PATH.fullmatch(name) is not None
        and ((slash and folder in repository.top_folders) or suffix in (TEXT if slash else SOURCES))
        and not name.startswith(GENERATED)
        and not any(PLACEHOLDER.fullmatch(part.partition(".")[0]) for part in name.split("/"))
    )


def dead_files(repository: Repository, path: str) -> list[str]:
    """Find paths and modules that are named and don't exist."""
    text = repository.text(path)
    named = [span.partition("#")[0] for span in spans(path, text)]
    named += re.findall(r"\bpython ((?:scripts|conformance|packages)/\S+\.\w+)", text)
    problems = [
        f"there is no {name}"
        for name in named
        if looks_like_a_path(repository, name)
        and not repository.has(name)
        and not repository.has(posixpath.join(posixpath.dirname(path), name))
    ]
    modules = re.findall(r"\bpython -m ([\w.]*\w)", text)
    modules += [span for span in spans(path, text) if re.fullmatch(r"\w+(?:\.\w+)+", span)]
    return problems + [
        f"there is no module {name}"
        for name in modules
        if name.partition(".")[0] in PACKAGES
        and not repository.has(name)  # a file such as `scripts.toml` is no module
        and not repository.has_module(name)
    ]


def dead_sessions(repository: Repository, path: str) -> list[str]:
    """Find sessions of nox that are named and don't exist."""
    named = re.findall(r"\bnox -s ([a-z]\w*)", repository.text(path))
    return [f"nox has no session {name}" for name in named if name not in repository.sessions]


def dead_routes(repository: Repository, path: str) -> list[str]:
    """Find routes that are named and are not in the contract."""
    # They ask for what is not there on purpose.
    if "tests" in Path(path).parts or path.startswith("conformance/scenarios/engine/"):
        return []
    found = [
        f"{method} {route.rstrip('.')}" for method, route in ROUTE.findall(repository.text(path))
    ]
    return [
        f"there is no route {route}"
        for route in found
        if route not in HOSTED_ROUTES
        and not any(known.fullmatch(route) for known in repository.routes)
    ]


def old_citations(repository: Repository, path: str) -> list[str]:
    """Find citations of sections by number, and of the page that is not in the repository."""
    text = repository.text(path)
    return [
        f"line {number} cites {mark}"
        for mark in ("\N{SECTION SIGN}", "CONTRACT" + ".md")
        for number, line in enumerate(text.splitlines(), 1)
        if mark in line
    ]


Check = Callable[[Repository, str], list[str]]
CHECKS: tuple[Check, ...] = (
    dead_links,
    dead_citations,
    dead_files,
    dead_sessions,
    dead_routes,
    old_citations,
)


def area_of(path: str) -> str:
    return next(area for area, prefix in AREAS.items() if path.startswith(prefix))


@functools.cache
def checkout() -> Repository:
    """Return this repository: what is tracked, and what is new and not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return Repository(
        ROOT, sorted({file for file in listed.split("\0") if (ROOT / file).is_file()})
    )


@pytest.mark.parametrize("area", [area for area in AREAS if (ROOT / AREAS[area]).is_dir()])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_what_is_named_exists(check: Check, area: str) -> None:
    repository = checkout()
    files = [
        file
        for file in repository.files
        if area_of(file) == area
        and Path(file).suffix in TEXT
        and Path(file).name not in LOCK_FILES
        and (ROOT / file) != Path(__file__)  # what is planted below is dead on purpose
    ]
    assert files
    assert [f"{file}: {problem}" for file in files for problem in check(repository, file)] == []


@pytest.mark.parametrize("route", HOSTED_ROUTES)
def test_every_exception_is_still_needed(route: str) -> None:
    assert route not in {known.pattern for known in checkout().routes}
    assert any(route in checkout().text(file) for file in checkout().files if "tests/" not in file)


# The checks themselves: each finds what was planted, and nothing where all is well.

GOOD = {
    "README.md": "# Name\n\nSee [the page](docs/page.md#the-page), `docs/page.md`, `nox -s lint`.",
    "docs/page.md": "# The page\n\n## `GET /health`\n\n[up](../README.md#name) and [here](#get-health)",
    "src/some.py": '"""See docs/page.md#the-page, `scripts.tool.main`, `src/*.py`: `GET /health`."""',
    "scripts/tool.py": '"""Run: python -m scripts.tool"""\ndef main(): ...',
    "noxfile.py": "def lint(session: nox.Session) -> None: ...",
    "openapi/arcrun.yaml": "paths: {/health: {get: {}}, '/x/{name}': {delete: {}}}",
}


def planted(root: Path, **changes: str) -> Repository:
    """Write a small repository with something more at the end of some files."""
    for name, content in GOOD.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content + changes.get(file.stem, ""), "utf-8")
    return Repository(root, list(GOOD))


def findings(repository: Repository) -> list[str]:
    return [
        finding
        for file in repository.files
        for check in CHECKS
        for finding in check(repository, file)
    ]


def test_nothing_is_found_where_all_is_well(tmp_path: Path) -> None:
    assert findings(planted(tmp_path)) == []


@pytest.mark.parametrize(
    ("file", "text", "finding"),
    [
        ("README", "[x](docs/gone.md)", "the link docs/gone.md leads nowhere"),
        (
            "README",
            "[x](docs/page.md#gone)",
            "the link docs/page.md#gone has an anchor that docs/page.md lacks",
        ),
        ("README", "[x](#gone)", "the link #gone has an anchor that README.md lacks"),
        ("some", "# docs/gone.md#x", "there is no docs/gone.md"),
        ("some", "# docs/page.md#gone", "docs/page.md has no anchor #gone"),
        ("some", "# `scripts/gone.py`", "there is no scripts/gone.py"),
        ("page", "`gone.md`", "there is no gone.md"),
        ("page", "`gone/some.py`", "there is no gone/some.py"),
        ("page", "`scripts.gone`", "there is no module scripts.gone"),
        ("page", "`scripts.tool.gone`", "there is no module scripts.tool.gone"),
        ("page", "\n```sh\npython -m scripts.gone\n```\n", "there is no module scripts.gone"),
        ("page", "`nox -s gone`", "nox has no session gone"),
        ("page", "`DELETE /health`", "there is no route DELETE /health"),
        ("some", 'x = "see GET /gone/{name}."', "there is no route GET /gone/{name}"),
        ("some", "# \N{SECTION SIGN}3", "line 1 cites \N{SECTION SIGN}"),
    ],
)
def test_what_was_planted_is_found(tmp_path: Path, file: str, text: str, finding: str) -> None:
    assert findings(planted(tmp_path, **{file: text})) == [finding]


def test_headings_get_the_anchors_that_github_gives_them(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# 中文 `a.b` & C\n## Same\n## Same\n```\n# code\n```\n## [Link](x.md) text", "utf-8"
    )
    anchors = Repository(tmp_path, ["page.md"]).anchors("page.md")
    assert anchors == {"中文-ab--c", "same", "same-1", "link-text"}
