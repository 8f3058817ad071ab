"""`python -m arcrun_conformance` is the command line."""

from .cli import main

raise SystemExit(main())
