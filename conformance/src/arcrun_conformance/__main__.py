"""Runs the command line: `python -m arcrun_conformance`."""

from .cli import main

raise SystemExit(main())
