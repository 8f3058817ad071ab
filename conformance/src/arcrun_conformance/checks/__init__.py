"""Checks: of replies, of the wire, and for leaks; and the exemptions from them."""
