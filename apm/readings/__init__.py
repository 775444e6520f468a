"""Readings: sensors, what they measured, and the alarms raised about them."""
