"""The scenario language: files, placeholders, and the patterns that values are compared with."""
