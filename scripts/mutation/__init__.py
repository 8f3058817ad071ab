"""Generated mutants: small defects that a tool makes in our code, and which of them the tests and the suite notice."""
