"""Alarms: rules on readings, who is called, who has seen it, and how many there are."""
