"""What can be done with an engine: one function for each command, which `acr` and `arcrun-mcp` offer."""
