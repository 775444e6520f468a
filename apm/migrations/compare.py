"""How a column type of the database is compared with one of the models."""

from sqlalchemy import Enum

from apm.core.db import UtcDateTime


def compare_type(
    _context: object, _inspected: object, _metadata: object, _found: object, ours: object
) -> bool | None:
    """Take an enum stored as text for the text it is; leave the rest to alembic."""
    return False if isinstance(ours, (Enum, UtcDateTime)) else None
