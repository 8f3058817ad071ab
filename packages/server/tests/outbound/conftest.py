from __future__ import annotations

from loopback_site import door, other_site, serve, site

__all__ = ["door", "other_site", "serve", "site"]
