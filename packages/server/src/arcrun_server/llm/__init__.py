"""The language models that a server can call: one provider, chosen by settings (docs/components.md#claude_api)."""
