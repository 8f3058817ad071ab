"""Measures `arcrun-mcp` by the suite of the Model Context Protocol."""
