"""Requests: what people report, and what becomes of it."""
