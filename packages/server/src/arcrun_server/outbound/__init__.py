"""The only way to the network: an HTTP client, and the guard that decides which addresses it may reach."""

from .client import Outbound, Response, json_content
from .errors import Unreachable
from .guard import ForbiddenAddress

__all__ = ["ForbiddenAddress", "Outbound", "Response", "Unreachable", "json_content"]
