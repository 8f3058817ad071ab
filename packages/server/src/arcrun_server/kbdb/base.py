"""The knowledge base as others use it: of one account, for its owner or for its workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .blocks import Block, BlockChanges, BlockFields

NewBlock = tuple["str | None", "BlockFields"]
"""A block to create: an id of its author's, or None for a new one, and its fields."""


class Blocks(Protocol):
    """The knowledge base of one account.

    Example:
        >>> async def template(blocks: Blocks, page_name: str) -> str:
        ...     (found,) = await blocks.page(page_name, "template")
        ...     return found.content
    """

    async def block(self, block_id: str, version: int | None = None) -> Block | None:
        """Return a block as it is, or as it was in a version; None if there is no such block."""
        ...

    async def page(self, page_name: str, block_type: str | None = None) -> list[Block]:
        """Return the blocks of a page, of all types or of one, oldest first; none for an unknown page.

        Raises:
            PageTooLargeError: They are more than fit a run.
        """
        ...

    async def create(self, new: Sequence[NewBlock]) -> list[Block]:
        """Store blocks, all or none of them; one that is there already, and alike, is left as it is.

        Raises:
            BlockConflictError: A block of this id is there, and is another one.
            ProtectedTemplateError: One is a template, and a workflow writes it.
        """
        ...

    async def change(self, block_id: str, changes: BlockChanges) -> Block | None:
        """Change the fields that are named, and keep the others; return None if there is no such block.

        Raises:
            ProtectedTemplateError: It is a template or would become one, and a workflow changes it.
        """
        ...

    async def delete(self, block_id: str) -> bool:
        """Delete a block with its versions; return False if there is no such block.

        Raises:
            ProtectedTemplateError: It is a template, and a workflow deletes it.
        """
        ...


class BlockStore(Protocol):
    """Where the blocks of all accounts are; every method takes the account.

    `templates` says whether templates may be written; who may not gets a ProtectedTemplateError.
    """

    async def get(self, account: str, block_id: str, version: int | None = None) -> Block | None:
        """Return a block, or None."""
        ...

    async def page(
        self, account: str, page_name: str, block_type: str | None = None
    ) -> list[Block]:
        """Return the blocks of a page, oldest first."""
        ...

    async def create(
        self, account: str, new: Sequence[NewBlock], *, templates: bool
    ) -> list[Block]:
        """Store blocks."""
        ...

    async def change(
        self, account: str, block_id: str, changes: BlockChanges, *, templates: bool
    ) -> Block | None:
        """Change a block."""
        ...

    async def delete(self, account: str, block_id: str, *, templates: bool) -> bool:
        """Delete a block."""
        ...


class OwnBlocks:
    """The knowledge base of an account, for the account's owner: templates may be written.

    Args:
        store: Where the blocks are.
        account: Whose they are.
    """

    _templates = True

    def __init__(self, store: BlockStore, account: str) -> None:
        self._store = store
        self._account = account

    async def block(self, block_id: str, version: int | None = None) -> Block | None:
        """Return a block as it is, or as it was in a version."""
        return await self._store.get(self._account, block_id, version)

    async def page(self, page_name: str, block_type: str | None = None) -> list[Block]:
        """Return the blocks of a page."""
        return await self._store.page(self._account, page_name, block_type)

    async def create(self, new: Sequence[NewBlock]) -> list[Block]:
        """Store blocks."""
        return await self._store.create(self._account, new, templates=self._templates)

    async def change(self, block_id: str, changes: BlockChanges) -> Block | None:
        """Change a block."""
        return await self._store.change(self._account, block_id, changes, templates=self._templates)

    async def delete(self, block_id: str) -> bool:
        """Delete a block."""
        return await self._store.delete(self._account, block_id, templates=self._templates)


class WorkflowBlocks(OwnBlocks):
    """The same for the account's workflows: what a model wrote into a page can't become a template."""

    _templates = False
