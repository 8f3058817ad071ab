"""What the release needs and nothing else imports: one file a job."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
