"""Runs of an account's workflows: what the engine is handed, and what comes of it."""
