"""Compare what is to be released with the last release: what broke decides the version and the changelog."""
