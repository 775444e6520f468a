"""The fleet as its page reads it: one slim row an asset, ranked and ready to be counted."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from apm.assets.model import Asset, Risk
from apm.core.db import Row, text_enum
from apm.core.hospital_scope import HospitalScoped
from apm.forecasts.model import ModelKind


class Standing(StrEnum):
    """What may be said about an asset."""

    FORETOLD = "foretold"
    """A model at work foretells."""
    MUTED = "muted"
    """Only a muted model foretells: no number is shown."""
    NEEDS = "needs"
    """There is not enough history."""


class Band(StrEnum):
    """How likely a failure within 90 days is, in a word."""

    PROBABLE = "probable"
    POSSIBLE = "possible"
    SELDOM = "seldom"
    UNLIKELY = "unlikely"


LEAST = {Band.PROBABLE: 0.5, Band.POSSIBLE: 0.2, Band.SELDOM: 0.05, Band.UNLIKELY: 0.0}
"""From which probability on each word holds."""


def band_of(chance: float | None) -> Band | None:
    """Return the word for a probability.

    >>> band_of(0.5), band_of(0.049), band_of(None)
    (<Band.PROBABLE: 'probable'>, <Band.UNLIKELY: 'unlikely'>, None)
    """
    if chance is None:
        return None
    return next(band for band, least in LEAST.items() if chance >= least)


class FleetEntry(HospitalScoped, Row):
    """What the forecasts of one asset come to; made from them again and again, never edited.

    The rows of `forecast` are wide (each holds a curve), and their order is another: this one is
    read by the page, so that its work grows with the page and its counts read one index.
    """

    __tablename__ = "fleet_entry"
    __table_args__ = (
        Index("ix_fleet_entry_rank", "hospital_id", "standing", "rank"),
        Index(
            "ix_fleet_entry_counts", "hospital_id", "standing", "warns", "risk", "band", "needs",
            "kind", "department_id", "category", "at",
        ),
    )  # fmt: skip

    asset_id: Mapped[int] = mapped_column(ForeignKey("asset.id"), unique=True)
    standing: Mapped[Standing] = mapped_column(text_enum(Standing))
    kind: Mapped[ModelKind] = mapped_column(text_enum(ModelKind))
    """Of the forecast that speaks for the asset: the one that warns, else the highest ranked."""
    sensor_id: Mapped[int | None]
    """Whose trend that is.  Not the forecast's own id: it is replaced every night."""
    rank: Mapped[float]
    chance: Mapped[float | None]
    """Of a failure within 90 days; None unless foretold.  Where that is muted, within the next
    shorter time that is not: then there is no `band`."""
    band: Mapped[Band | None] = mapped_column(text_enum(Band))
    warns: Mapped[bool]
    needs: Mapped[str | None]
    """The code of what is missing."""
    at: Mapped[datetime]
    """As of when it is foretold."""
    risk: Mapped[Risk] = mapped_column(text_enum(Risk))
    department_id: Mapped[int | None]
    category: Mapped[str]

    asset: Mapped[Asset] = relationship(lazy="raise")
