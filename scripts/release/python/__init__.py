"""Build, check, upload and install the Python packages."""
