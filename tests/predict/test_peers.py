"""The virtual sensor: half a degree off is found from the neighbours."""

import csv
import gzip
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from predict.errors import NotEnoughData
from predict.peers import RIDGE, compare, fit

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("APM_DATA") or ROOT.parent / "shared" / "data") / "room_climate"
FAULT = 0.5


def test_it_is_what_another_library_computes():
    rng = np.random.default_rng(5)
    others = rng.normal(20, 1, (400, 3))
    own = others @ [0.5, 0.3, 0.2] + rng.normal(0, 0.1, 400)
    model = fit(own, others)
    moved = others - others.mean(axis=0)
    alpha = RIDGE * np.diag(moved.T @ moved).mean() + 1e-9
    theirs = Ridge(alpha=alpha).fit(moved, own)
    # Nothing is four spreads off but by chance: the second fit leaves out next to nothing.
    assert model.weights == pytest.approx(theirs.coef_, abs=0.01)


def test_a_wild_reading_in_the_past_does_not_bend_it():
    rng = np.random.default_rng(6)
    room = 21 + np.cumsum(rng.normal(0, 0.05, 500))
    others = np.column_stack([room + rng.normal(0, 0.05, 500) for _ in range(3)])
    own = room + rng.normal(0, 0.05, 500)
    broken = own.copy()
    broken[::50] += 40
    assert fit(broken, others).expected(others[-1:]) == pytest.approx(own[-1:], abs=0.3)


def test_a_missing_neighbour_is_done_without():
    rng = np.random.default_rng(7)
    room = 21 + np.cumsum(rng.normal(0, 0.05, 500))
    others = np.column_stack([room, room, room]) + rng.normal(0, 0.05, (500, 3))
    model = fit(room, others)
    one_missing = others[-10:].copy()
    one_missing[:, 0] = np.nan
    known = np.abs(model.residual(room[-10:], one_missing))
    assert known.max() < abs(room[-10:] - model.level).max() + 0.3
    assert np.isnan(model.expected(np.full((1, 3), np.nan))).all()


def test_one_that_drifts_is_off_and_a_room_that_warms_is_not():
    rng = np.random.default_rng(8)
    room = 21 + np.sin(np.arange(600) / 50)
    table = np.column_stack([room + rng.normal(0, 0.05, 600) for _ in range(4)])
    model = fit(table[:500, 0], table[:500, 1:])
    warm = table[500:] + 2.0
    assert not compare(model, warm[:, 0], warm[:, 1:], least_off=0.3).is_off
    assert compare(model, warm[:, 0], warm[:, 1:], least_off=0.3).own_move > 0.9
    drifting = compare(model, table[500:, 0] + 0.5, table[500:, 1:], least_off=0.3)
    assert drifting.is_off
    assert drifting.offset == pytest.approx(0.5, abs=0.05)


def test_too_little_is_said_to_be_too_little():
    with pytest.raises(NotEnoughData):
        fit(np.full(59, 21.0), np.full((59, 2), 21.0))
    rng = np.random.default_rng(9)
    model = fit(rng.normal(21, 1, 100), rng.normal(21, 1, (100, 2)))
    with pytest.raises(NotEnoughData):
        compare(model, np.full(5, np.nan), np.full((5, 2), 21.0), least_off=0.3)


def room(path):
    """Temperatures by 10 seconds and node, shape (n, nodes)."""
    slots = defaultdict(dict)
    with gzip.open(path, "rt") as file:
        for row in csv.reader(file):
            slots[int(float(row[2])) // 10][int(row[3])] = float(row[4])
    nodes = sorted({node for seen in slots.values() for node in seen})
    last = max(slots)
    table = np.full((last + 1, len(nodes)), np.nan)
    for slot, seen in slots.items():
        for node, value in seen.items():
            table[slot, nodes.index(node)] = value
    return table


def auc(score):
    """How well the size of a score tells a fault of half a degree from none."""
    known = score[~np.isnan(score)]
    marks = np.r_[np.zeros(len(known)), np.ones(len(known))]
    return roc_auc_score(marks, np.abs(np.r_[known, known + FAULT]))


def test_half_a_degree_is_found_in_a_real_room():
    """Fitted on the first 30 visits to the room, tried on the others, with a fault put in."""
    paths = sorted(DATA.glob("*location_B*.csv.gz"))
    if not paths:
        pytest.skip(f"the room climate logs are not in {DATA}")
    visits = [room(path) for path in paths]
    width = max(visit.shape[1] for visit in visits)
    visits = [visit for visit in visits if visit.shape[1] == width]
    past, lately = np.concatenate(visits[:30]), np.concatenate(visits[30:])
    by_peers, by_history = [], []
    for k in range(width):
        model = fit(past[:, k], np.delete(past, k, axis=1))
        by_peers.append(auc(model.residual(lately[:, k], np.delete(lately, k, axis=1))))
        by_history.append(auc(lately[:, k] - np.nanmedian(past[:, k])))
    assert min(by_peers) > 0.9
    assert max(by_history) < min(by_peers)
