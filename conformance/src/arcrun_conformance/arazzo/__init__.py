"""Scenarios of the engine suite as Arazzo 1.0.1: requests to our routes, and what must hold for the responses."""
