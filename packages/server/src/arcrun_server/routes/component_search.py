"""What there is for the nodes of a workflow, and which of it a query means (docs/contract.md#component-catalog)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from arcrun_server.kbdb.search import phrases_of, spaced

if TYPE_CHECKING:
    from collections.abc import Iterable

    from arcrun_server.components.contract import ComponentContract

# The kinds of results; of two that a query fits equally well, the earlier kind comes first.
KINDS = ("component", "api_recipe", "auth_recipe", "prompt_recipe")
# An account's recipes are read anew for each search, and their words are most of the work: those of entries of so many
# characters together are kept. The words take about ten times as many bytes.
MOST_CHARACTERS = 2 * 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """Something that a node can name.

    Args:
        kind: One of KINDS.
        canonical_id: What the node writes.
        display_name: Its name for people.
        category: logic, data, api or auth.
        description: What it does.
    """

    kind: str
    canonical_id: str
    display_name: str
    category: str
    description: str

    @property
    def characters(self) -> int:
        """Return how many characters its texts have."""
        texts = (self.canonical_id, self.display_name, self.category, self.description)
        return sum(map(len, texts))

    def as_json(self) -> dict[str, Any]:
        """Return it as a result of a search."""
        return {
            "kind": self.kind,
            "canonical_id": self.canonical_id,
            "display_name": self.display_name,
            "category": self.category,
            "description": self.description,
        }

    def position(self, phrases: list[str]) -> str | None:
        """Return where it stands among the results, to be compared as text; None if it is none of them.

        Args:
            phrases: What is looked for, as `phrases_of` returns it.
        """
        # A search asks this of each recipe of an account: generators would take twice as long.
        words = self._words
        for phrase in phrases:
            if f" {phrase}" not in words:
                return None
        return f"{self._rank(phrases)}{self._end_of_position}"

    def _rank(self, phrases: list[str]) -> int:
        names, of_id = self._name_words, self._id_words
        rank = 1
        for phrase in phrases:
            if f" {phrase}" not in names:
                return 3
            if phrase not in of_id:
                rank = 2
        return 0 if rank == 1 and " ".join(phrases) == of_id[0] else rank

    @cached_property
    def _end_of_position(self) -> str:
        return f"{KINDS.index(self.kind)}{self.canonical_id}"

    # Its texts with a space before each word, so that a phrase is found where a word begins.
    @cached_property
    def _words(self) -> str:
        texts = (self.canonical_id, self.display_name, self.category, self.description)
        return "".join(f" {spaced(text)} " for text in texts)

    @cached_property
    def _name_words(self) -> str:
        return f" {spaced(self.canonical_id)}  {spaced(self.display_name)}"

    @cached_property
    def _id_words(self) -> tuple[str, ...]:
        words = spaced(self.canonical_id)
        return (words, *words.split())


class KnownEntries:
    """Keeps the entries that were searched last, so that their words are made once.

    Args:
        most: How many characters their texts may have together.
    """

    def __init__(self, most: int = MOST_CHARACTERS) -> None:
        self._most = most
        self._characters = 0
        self._entries: OrderedDict[Entry, Entry] = OrderedDict()

    def of(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return entries that are equal to these, and have their words if they were searched before."""
        return [self._kept(entry) for entry in entries]

    def _kept(self, entry: Entry) -> Entry:
        kept = self._entries.get(entry)
        if kept is not None:
            self._entries.move_to_end(kept)
            return kept
        self._entries[entry] = entry
        self._characters += entry.characters
        while self._characters > self._most:
            oldest, _ = self._entries.popitem(last=False)
            self._characters -= oldest.characters
        return entry


def entry_of_component(contract: ComponentContract, kind: str = "component") -> Entry:
    """Return the entry of a component of the catalog."""
    return Entry(
        kind,
        contract["canonical_id"],
        contract["display_name"],
        contract["category"],
        contract["description"],
    )


def entry_of_service(recipe: dict[str, Any]) -> Entry:
    """Return the entry of an auth recipe."""
    service = recipe["service"]
    name = recipe.get("display_name") or service
    return Entry("auth_recipe", service, name, "api", recipe.get("description") or "")


def entry_of_api_recipe(recipe: dict[str, Any]) -> Entry:
    """Return the entry of an API recipe."""
    name = recipe["canonical_id"]
    shown = recipe.get("display_name") or name
    return Entry("api_recipe", name, shown, "api", recipe.get("description") or "")


def entry_of_prompt_recipe(name: str, description: str | None) -> Entry:
    """Return the entry of a prompt recipe, which a node names with its kind."""
    return Entry("prompt_recipe", f"prompt_recipe:{name}", name, "data", description or "")


def found(query: str, entries: Iterable[Entry]) -> list[tuple[str, Entry]]:
    """Return what a query means, best first, each with its position; nothing for a query without a word.

    Each part of the query between white space must be in an entry, at the beginning of a word.

    Example:
        >>> entries = [Entry("component", name, "", "logic", "") for name in ("hash", "date_ops")]
        >>> [entry.canonical_id for _, entry in found("Ops", entries)]
        ['date_ops']
    """
    phrases = phrases_of(query)
    if not phrases:
        return []
    positions = ((entry.position(phrases), entry) for entry in entries)
    results = [(position, entry) for position, entry in positions if position is not None]
    return sorted(results, key=lambda result: result[0])
