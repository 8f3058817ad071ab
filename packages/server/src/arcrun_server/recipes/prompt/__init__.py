"""Prompt recipes: what a prompt is made of, and what is expected of the model (docs/prompt-recipes.md)."""
