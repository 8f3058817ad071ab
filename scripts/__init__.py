"""What the release needs and nothing else imports: one file a job."""
