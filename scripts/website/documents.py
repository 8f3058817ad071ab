"""Turn the repository's documents into HTML for the site: `packages/website/src/generated/documents.json`."""

from __future__ import annotations

import posixpath
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from markdown_it import MarkdownIt

from scripts import ROOT
from scripts.website.highlight import highlighted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

_LEVELS = ("h2", "h3")


class Document(NamedTuple):
    """A document of the repository: its path, its name on the site, and the group that it is listed in."""

    path: str
    slug: str
    group: str


DOCUMENTS = (
    Document("docs/workflow-language.md", "workflow-language", "build"),
    Document("docs/components.md", "components", "build"),
    Document("docs/prompt-recipes.md", "prompt-recipes", "build"),
    Document("docs/cli.md", "cli", "build"),
    Document("docs/mcp.md", "mcp", "build"),
    Document("packages/python-sdk/README.md", "python-sdk", "build"),
    Document("packages/js-sdk/README.md", "js-sdk", "build"),
    Document("docs/contract.md", "contract", "reference"),
    Document("SECURITY.md", "security", "reference"),
    Document("CHANGELOG.md", "changelog", "reference"),
    Document("docs/operating.md", "operating", "operate"),
    Document("docs/architecture.md", "architecture", "contribute"),
    Document("CONTRIBUTING.md", "contributing", "contribute"),
    Document("docs/writing-scenarios.md", "writing-scenarios", "contribute"),
    Document("docs/writing-engine-scenarios.md", "writing-engine-scenarios", "contribute"),
    Document("conformance/PROTOCOL.md", "adapter-protocol", "contribute"),
    Document("docs/releasing.md", "releasing", "contribute"),
    Document("docs/faults.md", "faults", "contribute"),
)
_SLUGS = {document.path: document.slug for document in DOCUMENTS}


def documents() -> list[dict[str, Any]]:
    """Return every document with its title, its HTML and its headings."""
    return [rendered(document) for document in DOCUMENTS]


def rendered(document: Document) -> dict[str, Any]:
    """Return one document as the site shows it."""
    text = (ROOT / document.path).read_text("utf-8")
    parser = _parser()
    tokens = parser.parse(text)
    headings = _name_headings(tokens)
    _lead_links(tokens, posixpath.dirname(document.path))
    title = next(heading for heading in headings if heading["level"] == "h1")
    tokens = _without_title(tokens)
    return {
        "slug": document.slug,
        "group": document.group,
        "path": document.path,
        "title": title["text"],
        "summary": _summary(tokens),
        "headings": [heading for heading in headings if heading["level"] in _LEVELS],
        "html": parser.renderer.render(tokens, parser.options, {}),
    }


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])

    def fence(_self: object, tokens: Sequence[Token], index: int, *_rest: object) -> str:
        token = tokens[index]
        code = highlighted(token.content, token.info.partition(" ")[0])
        return f'<pre class="code" tabindex="0"><code>{code}</code></pre>\n'

    def table_open(*_arguments: object) -> str:
        return '<div class="table" tabindex="0"><table>\n'

    def table_close(*_arguments: object) -> str:
        return "</table></div>\n"

    parser.add_render_rule("fence", fence)
    parser.add_render_rule("table_open", table_open)
    parser.add_render_rule("table_close", table_close)
    return parser


def _name_headings(tokens: list[Token]) -> list[dict[str, str]]:
    """Give each heading the id that GitHub gives it, so that links to it work in both places."""
    headings: list[dict[str, str]] = []
    taken: dict[str, int] = {}
    for opening, content in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        text = _plain(content)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        number = taken.get(slug, 0)
        taken[slug] = number + 1
        name = f"{slug}-{number}" if number else slug
        opening.attrSet("id", name)
        headings.append({"level": opening.tag, "id": name, "text": text})
    return headings


def _plain(inline: Token) -> str:
    kept = [part.content for part in inline.children or () if part.type in ("text", "code_inline")]
    return "".join(kept)


def _lead_links(tokens: list[Token], folder: str) -> None:
    """Lead each link to a document to its page; a link to another file of the repository becomes plain text."""
    for token in tokens:
        parts = token.children or []
        stripped = False
        for part in parts:
            if part.type == "link_open":
                target = _target(str(part.attrGet("href")), folder)
                stripped = target is None
                if target is not None:
                    part.attrSet("href", target)
                else:
                    part.type, part.tag, part.attrs = "strong_open", "span", {}
            elif part.type == "link_close" and stripped:
                part.type, part.tag, stripped = "strong_close", "span", False
        for part in parts:
            if part.type == "image":
                part.attrSet("loading", "lazy")


def _target(link: str, folder: str) -> str | None:
    """Return where a link of a document leads on the site, or None if that has no such page."""
    if link.startswith(("https://", "http://", "#", "mailto:")):
        return link
    path, _, anchor = link.partition("#")
    slug = _SLUGS.get(posixpath.normpath(posixpath.join(folder, path)))
    if slug is None:
        return None
    return f"/docs/{slug}#{anchor}" if anchor else f"/docs/{slug}"


def _without_title(tokens: list[Token]) -> list[Token]:
    """Leave out the first heading, which the page itself shows."""
    start = next(index for index, token in enumerate(tokens) if token.type == "heading_open")
    return tokens[:start] + tokens[start + 3 :]


def _summary(tokens: list[Token]) -> str:
    """Return the first sentence of the first paragraph."""
    for opening, content in pairwise(tokens):
        if opening.type == "paragraph_open" and opening.level == 0:
            text = " ".join(_with_breaks(content).split())
            first = re.split(r"(?<=[.:]) ", text)[0]
            return f"{first[:-1]}." if first.endswith(":") else first
    return ""


def _with_breaks(inline: Token) -> str:
    parts = inline.children or []
    return "".join(" " if part.type == "softbreak" else part.content for part in parts)
