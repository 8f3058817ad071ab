"""What the tests of language models share."""

from __future__ import annotations

from llm_answers import engine, engine_with, messages_api
from loopback_site import make_client, site

__all__ = ["engine", "engine_with", "make_client", "messages_api", "site"]
