"""Alarms on readings: limits with delays and deadbands, counted exactly, whatever the batches."""
