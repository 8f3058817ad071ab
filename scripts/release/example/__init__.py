"""Carry out the design's first recipe and its workflow with what was installed, by each SDK."""
