r"""The knowledge base: blocks of text on pages, private to their account (docs/contract.md#knowledge-base).

`blocks.py` says what a block is, `search.py` what is a word, `items.py` what a page lists. `base.py` is what others use:
`Blocks`, the knowledge base of one account. What is stored where is no matter of this folder.

Example:
    >>> from arcrun_server.kbdb.items import items_of
    >>> items_of("- Mira\n- 河道\n- KBDB")
    ['Mira', '河道', 'KBDB']
"""
