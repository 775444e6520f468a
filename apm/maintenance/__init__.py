"""Maintenance: plans, due dates, and the work orders they open."""
