"""Collecting: connections to devices, and the process that reads them."""
