"""Checks that arcrun SDKs and engines conform to the wire contract."""

from ._version import __version__

__all__ = ["__version__"]
