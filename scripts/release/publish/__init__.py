"""Publish what a rehearsal has proven: to PyPI and npm, in recorded steps that can be resumed."""
