"""What operators see of a running server: metrics, spans and its log. Secrets, bodies and queries never get here."""
