"""Compare the two faces of the table of commands, `acr` and `arcrun-mcp`; the tests of the SDK call both."""
