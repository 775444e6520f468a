"""Spare parts and consumables: what there is, where it lies, what it went into, what to order."""
