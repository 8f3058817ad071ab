"""Rehearse a release: build, check, upload to loopback, install from there, prove."""
