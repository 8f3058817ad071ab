from __future__ import annotations

from loopback_site import make_client, other_site, serve, site

__all__ = ["make_client", "other_site", "serve", "site"]
