"""Encryption: the envelope that clients seal, and the key under which the server stores secrets."""
