"""Rooms and storage: what their sensors say now, when limits were left, and the legal records."""
