"""Procedures: expert checklists by category, their steps, and how a measured value is judged."""
