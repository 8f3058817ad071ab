"""Runs: the cells of a run, their results, and the removal of what they have created."""
