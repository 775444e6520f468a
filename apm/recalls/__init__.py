"""Recalls and safety notices: what makers and authorities say of equipment, and what we did."""
