"""Adapters: the protocol, the connection to an adapter, and the registry."""
