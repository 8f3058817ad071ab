"""Proves that an arcrun SDK and an arcrun engine keep the wire contract."""

from ._version import __version__

__all__ = ["__version__"]
