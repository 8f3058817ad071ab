"""Fuzz an engine against the contract with Schemathesis."""
