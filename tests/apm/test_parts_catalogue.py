"""The catalogue: adding, changing, finding; barcodes that mean one thing."""

import pytest

from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.parts.commands import add_part, update_part
from apm.parts.model import Unit
from apm.parts.queries import PartQuery, counts_of, part_by_code, part_by_id, part_page, parts_for
from tests.apm.hospital import make_asset
from tests.apm.stockroom import fill, make_part, make_vendor, stocked

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def noise(as_):
    """South has parts alike."""
    make_part(as_("qin"), number="O2-1", barcodes=["6901"], fits=FITS)
    make_part(as_("qin"), number="SOUTH", name="Oxygen cell")


FITS = [{"manufacturer": "Norvelia", "model": "Aera 500"}]


def found(as_, q="", **narrowed):
    return [part.number for part in part_page(as_("wang"), PartQuery(q, **narrowed)).items]


def test_a_part_is_found_by_everything_written_on_it(as_):
    make_part(
        as_("wang"), number="NV-O2-77", maker="Norvelia", barcodes=["6901234567892"], fits=FITS
    )
    make_part(as_("wang"), number="FLT-1", name="Filter", name_zh="过滤器", maker="Qinghe")

    for q in ("nv-o2", "NVO277", "o2", "oxygen CELL", "氧电池", "氧", "ydc", "690123", "aera 500",
              "norv", "电池 nv"):  # fmt: skip
        assert found(as_, q) == ["NV-O2-77"], q
    assert found(as_, "glq") == ["FLT-1"]
    assert found(as_, "oxygen filter") == []
    assert found(as_) == ["FLT-1", "NV-O2-77"]


def test_what_changes_is_found_by_its_new_words_alone(as_):
    part = make_part(as_("wang"), number="A-1", barcodes=["111", "222"])
    update_part(
        as_("wang"), part_id=part.id, name="Turbine", name_zh=None, number="B-1",
        barcodes=["222", "333"], fits=FITS,
    )  # fmt: skip

    assert found(as_, "turbine") == found(as_, "333") == found(as_, "aera") == ["B-1"]
    assert found(as_, "oxygen") == found(as_, "111") == found(as_, "a-1") == []
    kept = part_by_id(as_("wang"), part.id)
    assert [barcode.code for barcode in kept.barcodes] == ["222", "333"]
    update_part(as_("wang"), part_id=part.id, barcodes=[], fits=[])
    assert part_by_id(as_("wang"), part.id).fits == []


def test_a_number_or_a_barcode_leads_to_one_part(as_):
    part = make_part(as_("wang"), number="O2-1", barcodes=["6901"])
    other = make_part(as_("wang"), number="6902", barcodes=["6903"])

    assert part_by_code(as_("wang"), " 6901 ").id == part.id
    assert part_by_code(as_("wang"), "O2-1").id == part.id
    assert part_by_code(as_("wang"), "6902").id == other.id
    with pytest.raises(NotFound, match="number or barcode"):
        part_by_code(as_("wang"), "SOUTH")


def test_a_barcode_cannot_mean_two_parts(as_):
    part = make_part(as_("wang"), number="A-1", barcodes=["6901"])
    with pytest.raises(Invalid, match="6901 belongs to part A-1"):
        make_part(as_("wang"), barcodes=["7", "6901"])
    with pytest.raises(Invalid, match="twice"):
        make_part(as_("wang"), barcodes=["7", "7"])
    other = make_part(as_("wang"), barcodes=["7"])
    with pytest.raises(Invalid, match="belongs"):
        update_part(as_("wang"), part_id=other.id, barcodes=["6901"])
    update_part(as_("wang"), part_id=part.id, barcodes=["6901", "8"])  # its own may stay


def test_a_number_is_given_once(as_):
    make_part(as_("wang"), number="A-1")
    with pytest.raises(Invalid) as refused:
        make_part(as_("wang"), number="A-1")
    assert "number" in refused.value.fields
    other = make_part(as_("wang"), number="A-2")
    with pytest.raises(Invalid):
        update_part(as_("wang"), part_id=other.id, number="A-1")


@pytest.mark.parametrize("minimum", ["-1", "1.5", "x", 10**9])
def test_a_minimum_that_cannot_be(as_, minimum):
    with pytest.raises(Invalid) as refused:
        make_part(as_("wang"), minimum=minimum)
    assert "minimum" in refused.value.fields


def test_a_unit_with_a_history_stays(as_):
    part = make_part(as_("wang"), unit=Unit.METRE, minimum="0.5")
    update_part(as_("wang"), part_id=part.id, unit=Unit.LITRE)
    fill(as_("wang"), part, "1.5")
    with pytest.raises(Conflict, match="history"):
        update_part(as_("wang"), part_id=part.id, unit=Unit.PIECE)
    update_part(as_("wang"), part_id=part.id, unit=Unit.LITRE, name="Coolant")


def test_two_editors_one_winner(as_):
    part = make_part(as_("wang"))
    update_part(as_("wang"), part_id=part.id, version=1, note="First")
    with pytest.raises(Conflict, match="Somebody else"):
        update_part(as_("zhao"), part_id=part.id, version=1, note="Second")


def test_who_keeps_the_catalogue(as_):
    part = make_part(as_("wang"))
    for who in ("lin", "chen"):
        with pytest.raises(NotAllowed):
            add_part(as_(who), number="X", name="X")
    with pytest.raises(NotFound):
        update_part(as_("qin"), part_id=part.id, name="Ours now")
    south = make_vendor(as_("qin"), "Southern Supplies")
    with pytest.raises(NotFound, match="vendor"):
        make_part(as_("wang"), supplier=south.id)


def test_the_list_shows_what_needs_a_look(as_):
    ctx = as_("wang")
    low = stocked(ctx, 1, number="LOW", minimum=2)
    stocked(ctx, 9, number="ENOUGH", minimum=2)
    make_part(ctx, number="NOT-KEPT")
    update_part(ctx, part_id=make_part(ctx, number="OLD", minimum=5).id, is_active=False)

    assert found(as_, show="low") == ["LOW"]
    assert found(as_, show="retired") == ["OLD"]
    assert counts_of(as_("wang")) == {
        "": 3, "low": 1, "expiring": 0, "quarantined": 0, "retired": 1,
    }  # fmt: skip
    fill(ctx, low, 1)
    assert found(as_, show="low") == []


def test_the_parts_that_go_into_a_device(as_):
    ctx = as_("wang")
    device = make_asset(ctx, "VENT", manufacturer="Norvelia", model="Aera 500")
    make_part(ctx, number="MODEL", fits=FITS)
    make_part(ctx, number="MAKER", fits=[{"manufacturer": "Norvelia", "model": None}])
    make_part(ctx, number="CATEGORY", category="VENT")
    make_part(ctx, number="OTHER-MODEL", category="VENT",
              fits=[{"manufacturer": "Norvelia", "model": "Aera 700"}])  # fmt: skip
    make_part(ctx, number="OTHER-CATEGORY", category="MON")
    old = make_part(ctx, number="OLD", fits=FITS)
    update_part(ctx, part_id=old.id, is_active=False)

    assert [p.number for p in parts_for(as_("wang"), device)] == ["CATEGORY", "MAKER", "MODEL"]
