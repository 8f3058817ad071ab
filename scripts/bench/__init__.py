"""Measure speed and size, each against a baseline in the same run."""
