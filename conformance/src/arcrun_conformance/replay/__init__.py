"""Recordings of failed cells: HAR files, which a replay needs instead of an engine."""
