"""What this library raises when the data cannot carry an answer."""


class NotEnoughData(ValueError):
    """Too little history to say anything; the caller shows "not enough history" instead."""
