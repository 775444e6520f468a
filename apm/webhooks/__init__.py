"""Webhooks: what happens is told to the hospital's other programs, signed and retried."""
