"""Forecasts: what will fail, when, how sure that is, and how often it was right."""
