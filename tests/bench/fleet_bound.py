"""How much the machines' logs can tell of the second day: the most, in hindsight, and by luck.

Errors warn a day ahead.  What fails on the day after is known from the wear of the parts alone: a
part has a hazard by its kind, its visits in use, the machine's make and whether that is old.  Here
somebody is granted what no forecast has: the first day without any mistake, those hazards counted
over the whole year with the test in it, and the best threshold chosen on the test.  A drawn year
has failures by the same hazards: its spread is what luck does to one who knows them.  `left_over`
asks whether the rest of the log tells more than the hazards: boosting, on machines left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score

from predict.failure_soon import event_features, fails_within
from predict.visit_hazard import any_fails, soon_or_at_visit
from tests.bench.f1 import best_f1, f1

if TYPE_CHECKING:
    from tests.bench.fleet import Machine

Array = NDArray[np.float64]
DAY, AFTER_VISIT = 24.0, 6.0
MOST_VISITS = 4
"""Visits in use from which hazards no longer rise."""
OLD = 14.0
"""Years from which one part fails at all."""
SHAPE = (4, MOST_VISITS + 1, 4, 2)
DRAWS, FOLDS = 500, 5
GOAL = 0.75


def cells(m: Machine, at: Array) -> tuple[NDArray[np.int64], Array]:
    """Return the cell of each part at the next visit, shape (n, parts), and the hours to it."""
    rows, to_go = m.at_next_visit(at)
    interval = m.rhythm(at)[:, 1]
    visits = np.nan_to_num(np.rint(rows[..., 1] / interval[:, None]))
    kind, make, old = rows[..., 0], rows[..., 2], rows[..., 3] >= OLD
    place = [kind, np.clip(visits, 0, MOST_VISITS), make, old]
    return np.ravel_multi_index(tuple(p.astype(np.int64) for p in place), SHAPE), to_go


def visits(
    fleet: Sequence[Machine], until: float
) -> tuple[NDArray[np.int64], Array, Array, NDArray[np.int64], Array]:
    """Return cells, failed parts, all else told, machine and hour, a day before each visit."""
    parts = []
    for m in fleet:
        at = np.arange(2 * DAY, until - 2 * DAY, DAY)
        place, to_go = cells(m, at)
        eve = (to_go > DAY) & (to_go <= 2 * DAY)
        at = at[eve]
        label = [
            fails_within(v, at, 2 * DAY + AFTER_VISIT, known_until=until)
            - fails_within(v, at, DAY, known_until=until)
            for v in m.of("failures").values()
        ]
        ages, to_go = m.at_next_visit(at)
        told = [event_features(m.events, at, (48.0, 168.0, 360.0, 2160.0)), m.rhythm(at)]
        told += [ages[..., 1], np.sort(ages[..., 1], axis=1), np.tile(m.fixed, (len(at), 1))]
        who = np.full(len(at), m.name)
        parts.append((place[eve], np.column_stack(label) > 0, np.hstack(told), who, at))
    place, failed, told, who, when = (np.concatenate(p) for p in zip(*parts, strict=True))
    return place, failed.astype(float), told, who, when


def hazards(place: NDArray[np.int64], failed: Array) -> Array:
    """Return by cell the share that failed."""
    n = np.bincount(place.ravel(), minlength=int(np.prod(SHAPE)))
    hit = np.bincount(place.ravel(), failed.ravel(), minlength=len(n))
    return np.asarray(hit / np.maximum(n, 1))


def bound(fleet: Sequence[Machine], test: float, end: float) -> dict[str, object]:
    """Return the best 48-hour F1 with the first day perfect, and what luck makes of it."""
    place, failed, told, who, when = visits(fleet, end)
    hazard = hazards(place, failed)
    at = np.arange(test, end, 1.0)
    near = np.concatenate([fails_within(m.failures, at, DAY, known_until=end) for m in fleet])
    y = np.concatenate([fails_within(m.failures, at, 2 * DAY, known_until=end) for m in fleet])
    own = [cells(m, at) for m in fleet]
    wear = np.concatenate([any_fails(hazard[c]) for c, _ in own])
    to_go = np.concatenate([t for _, t in own])
    score = soon_or_at_visit(near, wear, to_go, warned=DAY, horizon=2 * DAY)
    known = np.isfinite(y)
    said = score[known] >= best_f1(y[known], score[known])
    return {
        "first_day_perfect": f1(y[known], said),
        "by_luck": by_luck(any_fails(hazard[place[when >= test]])),
        **left_over(place, failed, told, who),
    }


def by_luck(chance: Array) -> dict[str, object]:
    """Return F1 in drawn years of visits that fail by `chance`, each with its best threshold.

    Days count: a failure's first is told, its second if its visit is among the likeliest said.
    """
    rng = np.random.default_rng(0)
    order = np.argsort(-chance)
    said = np.arange(1, len(chance) + 1)
    best = []
    for _ in range(DRAWS):
        fails = rng.random(len(chance)) < chance
        n, hit = fails.sum(), np.cumsum(fails[order])
        best.append(float((2.0 * (n + hit) / (n + said + 2.0 * n)).max()))
    low, high = np.quantile(best, [0.025, 0.975]).round(3).tolist()
    share = float(np.mean(np.array(best) >= GOAL))
    return {"mean": round(float(np.mean(best)), 3), "interval": [low, high], "reach_goal": share}


def left_over(
    place: NDArray[np.int64], failed: Array, told: Array, who: Array
) -> dict[str, object]:
    """Return area and log loss of hazards, and of all the logs tell beside them.

    Both are learnt from other machines than those they are judged on.
    """
    fold = np.random.default_rng(0).permutation(int(who.max()) + 1)[who] % FOLDS
    label = failed.max(axis=1)
    found = np.empty((2, len(label)))
    for k in range(FOLDS):
        inside = fold != k
        wear = any_fails(hazards(place[inside], failed[inside])[place])
        rows = np.column_stack([wear, told])
        fit = HistGradientBoostingClassifier(
            max_iter=60, learning_rate=0.05, max_leaf_nodes=6, early_stopping=False
        ).fit(rows[inside], label[inside])
        found[0, ~inside] = np.clip(wear[~inside], 1e-3, 1.0 - 1e-3)
        found[1, ~inside] = fit.predict_proba(rows[~inside])[:, 1]
    return {
        name: {
            "roc_auc": round(float(roc_auc_score(label, p)), 3),
            "log_loss": round(float(log_loss(label, p)), 3),
        }
        for name, p in zip(("hazards", "hazards_and_logs"), found, strict=True)
    }
