"""Printed records: what was done, by whom, and how to see that the sheet says so truly."""
