"""Build, check, upload and install the npm package, and run it on every runtime."""
