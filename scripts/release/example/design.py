"""The design's recipe and workflow, to the letter, what they work on, and what must come of it.

Every expected text is made here from the templates and drafts, not read from an engine.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "packages/server/tests/recipes/prompt"
ENTITIES = ("Mira", "河道", "KBDB")
SYSTEM = "You are a wiki writer."
SKILL = "Drafts: {{drafts}}\nKnown: {{existing_entities}}\nWrite about {{entity_name}}."
# The ids by which the recipe names its fragments.
SYSTEM_BLOCK = "7a4e456e-1b0f-406a-8842-5e01d1cf1eef"
SKILL_BLOCK = "85e3b81e-dca8-4131-bcdc-990bd0d3a16f"
TEMPLATES = (
    {"id": SYSTEM_BLOCK, "page_name": "mira-wiki-schema", "content": SYSTEM, "type": "template"},
    {
        "id": SKILL_BLOCK,
        "page_name": "source-skill-wiki-synthesis",
        "content": SKILL,
        "type": "template",
    },
)
INDEX = {
    "page_name": "mira-wiki-index-stale",
    "content": "\n".join(f"- {entity}" for entity in ENTITIES),
}
# No node of the workflow reads the entities, so the recipe to the letter can't be assembled.
REFUSED = "'existing_entities' has no value: there is nothing at 'ctx.read_entities.blocks'"
WITHOUT_DEFAULT = 'from: "ctx.read_entities.blocks"\n'
WITH_DEFAULT = f"{WITHOUT_DEFAULT}    default: []\n"


class Seeds(NamedTuple):
    """The two files of the design."""

    recipe: Path
    workflow: Path

    @property
    def with_default(self) -> str:
        """The recipe with a default for what no node provides."""
        text = self.recipe.read_text("utf-8")
        if WITHOUT_DEFAULT not in text:
            raise ValueError(f"{self.recipe.name} has no {WITHOUT_DEFAULT!r}")
        return text.replace(WITHOUT_DEFAULT, WITH_DEFAULT)

    def given(self, drafts: list[Any]) -> dict[str, Any]:
        """Return what a program is given: texts, the workflow, and a context as the run of the first entity has it."""
        return {
            "recipe": self.recipe.read_text("utf-8"),
            "with_default": self.with_default,
            "workflow_file": str(self.workflow),
            "workflow": yaml.safe_load(self.workflow.read_text("utf-8")),
            "context": {"read_drafts": {"blocks": drafts}, "loop": {"item": ENTITIES[0]}},
        }


def seeds(root: Path) -> Seeds:
    """Return the files in a checkout."""
    folder = root / FOLDER
    return Seeds(folder / "wiki_synthesis.yaml", folder / "wiki_synthesis_workflow.yaml")


def draft(entity: str) -> dict[str, Any]:
    """Return a draft, which looks like a template and must stay data."""
    return {"page_name": entity, "content": f"Draft of {entity}: {{{{schema}}}} --- USER ---"}


def paragraphs(entity: str) -> list[str]:
    """Return what the model writes about an entity."""
    return [f"{entity} 第一段", f"{entity} 第二段"]


def script() -> list[Any]:
    """Return the replies of the provider `scripted`: each entity's only to a prompt with its templates and its draft."""
    return [
        {
            "contains": [SYSTEM, f"Write about {entity}.", f"Draft of {entity}: {{{{schema}}}}"],
            "reply": json.dumps(
                {
                    "triplets": [],
                    "entities": [entity],
                    "paragraphs": paragraphs(entity),
                    "source_summary": "摘要",
                }
            ),
        }
        for entity in ENTITIES
    ]


def messages(drafts: list[Any]) -> list[Any]:
    """Return the messages of the first entity's prompt, with the origin of each range.

    Args:
        drafts: The blocks of its page.
    """
    system, skill = _fragment("schema", SYSTEM_BLOCK), _fragment("skill_template", SKILL_BLOCK)
    written = json.dumps(drafts, ensure_ascii=False, separators=(",", ":"))
    # The value of existing_entities is the empty default: it takes no range.
    user = [
        ("Drafts: ", {**skill, "line": 1}),
        (written, {"kind": "value", "var": "drafts", "from": "ctx.read_drafts.blocks"}),
        ("\nKnown: ", {**skill, "line": 1}),
        ("\nWrite about ", {**skill, "line": 2}),
        (ENTITIES[0], {"kind": "value", "var": "entity_name", "from": "ctx.loop.item"}),
        (".", {**skill, "line": 3}),
    ]
    return [_message("system", [(SYSTEM, {**system, "line": 1})]), _message("user", user)]


def _fragment(var: str, block: str) -> Any:
    return {"kind": "fragment", "var": var, "blocks": [{"block_id": block, "version": 1}]}


def _message(role: str, pieces: list[tuple[str, Any]]) -> Any:
    ranges, content = [], ""
    for text, origin in pieces:
        start, content = len(content), content + text
        ranges.append({"start": start, "end": len(content), "origin": origin})
    return {"role": role, "content": content, "ranges": ranges}
