"""Stocktake: going round a department with a scanner, and what was found, missing, unexpected."""
