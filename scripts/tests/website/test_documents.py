"""What the list of documents says of each."""

from __future__ import annotations

from scripts.website.documents import documents


def test_each_summary_is_one_sentence() -> None:
    summaries = {one["title"]: one["summary"] for one in documents()}
    assert summaries["MCP"].endswith(" over the Model Context Protocol.")
    wrong = {title: text for title, text in summaries.items() if ".." in text or text[-1:] in ":,"}
    assert wrong == {}
    assert all(summaries.values())
