"""Forecasts: readings go to `predict`, findings come back and become proposed work."""
