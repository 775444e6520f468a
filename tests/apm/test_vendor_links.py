"""A vendor's link: one order, some days, every visit on record, and nothing else to be seen."""

import io
import re
from datetime import timedelta

import pytest
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import func, select

from apm.assets.model import Asset, AssetState
from apm.core.audit import AuditEntry, verify_chain
from apm.core.clock import utc_now
from apm.core.codes import PublicCode
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.core.guessing import MISSES
from apm.vendors.commands import add_vendor
from apm.vendors.documents import MOST_BYTES, read_report
from apm.vendors.link_model import VendorFile, VendorLink, VendorNote, VendorVisit
from apm.vendors.links import Company, create_link, links_of, revoke_link
from apm.vendors.visits import Visited, record_visit, visits_of
from apm.work.completion import close
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.queries import linked_orders, work_order
from apm.work.states import WorkState as W
from tests.apm.hospital import jpeg, make_asset, make_request, make_work
from tests.conftest import PASSWORD
from tests.queries import count_queries

SIEMENS = Company(name="Siemens", phone="400-1")
MADE = {"company": "Siemens", "phone": "400-1", "days": "7", "nonce": "NONCE-LINK-1"}
DONE = {"remedy": "Board replaced", "cause": "UPF", "labour_minutes": "40"}


def text(answer):
    return answer.get_data(as_text=True)


def pdf(pages=1, **options):
    out = io.BytesIO()
    paper = Canvas(out, **options)
    for _page in range(pages):
        paper.drawString(72, 720, "Service report")
        paper.showPage()
    paper.save()
    return out.getvalue() if pages else b"%PDF-1.4\n%%EOF"


def count(ctx, model):
    ctx.session.rollback()
    return ctx.session.scalar(select(func.count(model.id)))


def fresh(ctx, model=WorkOrder, **by):
    query = select(model).filter_by(**by).execution_options(populate_existing=True)
    ctx.session.rollback()
    return ctx.session.scalars(query).one()


@pytest.fixture
def asset(as_):
    return make_asset(
        as_("wang"), "MON", name="Bedside monitor", name_zh="监护仪", department="ICU",
        location="Bed 3", serial="SERIAL-77", number="NUMBER-88", purchase_cost=123456,
    )  # fmt: skip


@pytest.fixture
def order(as_, asset):
    made = make_work(as_("wang"), asset, title="Bedside monitor: no display", template_code="MON")
    give = Facts(assignee_id=as_("chen").actor.user_id)
    return move_work(as_("wang"), no=made.no, action="assign", facts=give)


@pytest.fixture
def link(login, order):
    """The address of a link, as its page told it."""
    page = text(login("wang").post(f"/work-orders/{order.no}/vendor-links", data=MADE))
    [url] = re.findall(r'value="http://localhost(/v/[^"]+)"', page)
    return url


def post(client, url, **data):
    return client.post(url, data=data)


def come(client, link, who="Zhang Wei"):
    return post(client, f"{link}/come", person=who, nonce=f"NONCE-{who}")


def answers(as_, order, verdict="pass"):
    """Every step of the checklist, answered."""
    found = work_order(as_("wang"), order.no)
    data = {"step": [step.key for step in found.steps]}
    for step in found.steps:
        if step.kind.value == "check":
            data[f"s{step.id}"] = verdict
        else:
            data[f"s{step.id}_verdict"] = "na"
    return data


def test_the_whole_way_from_link_to_signature(client, login, as_, order, link):
    assert "I am here and begin" in text(client.get(link))
    assert come(client, link).status_code == 303
    assert fresh(as_("wang"), no=order.no).state is W.IN_PROGRESS
    assert client.post(f"{link}/results", data=answers(as_, order)).status_code == 303
    photos = [(io.BytesIO(jpeg()), "a.jpg")]
    report = (io.BytesIO(pdf()), "report.pdf")
    sent = {"text": "Fan was dusty", "photos": photos, "report": report, "nonce": "NONCE-NOTE"}
    assert client.post(f"{link}/notes", data=sent).status_code == 303
    assert post(client, f"{link}/complete", **DONE).status_code == 303

    done = fresh(as_("wang"), no=order.no)
    assert (done.state, done.done_by, done.remedy) == (W.DONE, None, "Board replaced")
    assert done.performed_by == "Zhang Wei, Siemens"
    visit = fresh(as_("wang"), VendorVisit)
    assert (visit.person, visit.company, visit.done) == ("Zhang Wei", "Siemens", "Board replaced")
    assert visit.arrived_at <= visit.left_at
    assert "Done. Thank you." in text(client.get(link))

    page = text(login("wang").get(f"/work-orders/{order.no}"))
    for shown in ("Performed by a vendor", "Zhang Wei, Siemens", "Fan was dusty", "PDF"):
        assert shown in page
    close(as_("wang"), no=order.no, password=PASSWORD)
    signatures = [s.meaning for s in work_order(as_("wang"), order.no).signatures]
    assert signatures == ["approved"], "a vendor signs nothing; the hospital does"
    assert client.get(link).status_code == 404
    system = as_("system")
    assert verify_chain(system.session, system.actor.hospital_id).broken_at is None


def test_the_vendor_sees_that_order_and_nothing_more(client, as_, asset, order, link):
    make_request(as_("lin"), asset, description="PATIENT-LI", reporter_name="REPORTER")
    make_work(as_("wang"), make_asset(as_("wang"), name="Other device"), title="OTHER-WORK")
    come(client, link)
    page = text(client.get(link))
    for shown in ("Bedside monitor: no display", "ICU", "Bed 3", "8120", "Checklist", order.no):
        assert shown in page
    secrets = ("Chen Bo", "Wang Lei", "SERIAL-77", "NUMBER-88", "1234", "PATIENT-LI", "Lin Xia",
               "OTHER-WORK", "Other device", 'href="/work-orders', 'href="/assets')  # fmt: skip
    for secret in secrets:
        assert secret not in page, secret


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_speaks_both_languages_and_is_light(client, link, lang):
    page = text(client.get(f"{link}?lang={lang}"))
    assert ("监护仪" in page) is (lang == "zh")
    assert " style=" not in page
    assert re.findall(r"<script(?![^>]*src=)", page) == []


def test_only_a_digest_is_kept_and_the_link_is_told_once(login, as_, order, link):
    token = link.removeprefix("/v/")
    assert len(token) == 43
    rows = as_("wang").session.scalars(select(PublicCode).where(PublicCode.kind == "vendor"))
    assert all(token not in row.code for row in rows)
    ctx = as_("wang")
    trail = [str(e.changes) for e in ctx.session.scalars(select(AuditEntry))]
    assert not any(token in changes or "NONCE-LINK-1" in changes for changes in trail)
    for page in (f"/work-orders/{order.no}/vendor", f"/work-orders/{order.no}"):
        assert token not in text(login("wang").get(page))


def test_the_same_form_twice_is_one_link(login, as_, order, link):
    again = text(login("wang").post(f"/work-orders/{order.no}/vendor-links", data=MADE))
    assert link in again
    assert count(as_("wang"), VendorLink) == 1


@pytest.mark.parametrize("days", ["0", "61", "-1", "x"])
def test_it_opens_from_one_to_sixty_days(login, order, days):
    sent = {**MADE, "days": days}
    assert (
        login("wang").post(f"/work-orders/{order.no}/vendor-links", data=sent).status_code == 422
    )


def test_a_company_is_needed(login, as_, order):
    sent = {**MADE, "company": "", "part": "link"}
    page = login("wang").post(f"/work-orders/{order.no}/vendor-links", data=sent)
    assert page.status_code == 422
    assert "type the name of the company" in text(page)
    vendor = add_vendor(as_("wang"), name="Mindray", phone="400-2")
    sent["vendor"] = vendor.id
    page = login("wang").post(f"/work-orders/{order.no}/vendor-links", data=sent)
    assert "Link for Mindray" in text(page)


def test_whose_vendor_it_is_matters(as_, order):
    theirs = [add_vendor(as_("qin"), name=f"Southern {n}") for n in range(3)][-1]
    with pytest.raises(NotFound):
        create_link(as_("wang"), no=order.no, company=Company(theirs.id), token="t" * 43,
                    client_key="k" * 20)  # fmt: skip


@pytest.mark.parametrize(
    ("who", "error"), [("lin", NotAllowed), ("chen", NotAllowed), ("qin", NotFound)]
)
def test_who_may_not_make_or_end_links(as_, order, link, who, error):
    with pytest.raises(error):
        create_link(as_(who), no=order.no, company=SIEMENS, token="t" * 43, client_key="k" * 20)
    with pytest.raises(error):
        revoke_link(as_(who), no=order.no, link_id=1)
    assert fresh(as_("wang"), VendorLink).revoked_at is None


def test_a_link_needs_somebody_of_the_hospital(as_):
    planned = make_work(as_("wang"))
    with pytest.raises(Conflict, match="Assign the work order"):
        create_link(as_("wang"), no=planned.no, company=SIEMENS, token="t" * 43, client_key="k")


# -- links that do not open ------------------------------------------------------------------


def ended(as_, order, link, how):
    if how == "unknown":
        return "/v/" + "x" * 43
    ctx = as_("wang")
    if how == "revoked":
        revoke_link(ctx, no=order.no, link_id=fresh(ctx, VendorLink).id)
    elif how == "expired":
        with ctx.writing("test"):
            ctx.session.scalars(select(VendorLink)).one().expires_at = utc_now()
    else:
        move_work(ctx, no=order.no, action="cancel", facts=Facts(reason="sold"))
    return link


HOW = ["unknown", "revoked", "expired", "over"]


def test_all_links_that_do_not_open_answer_the_same(client, as_, engine, asset):
    seen = {}
    for how in HOW:
        made = make_work(as_("wang"), make_asset(as_("wang")))
        give = Facts(assignee_id=as_("chen").actor.user_id)
        move_work(as_("wang"), no=made.no, action="assign", facts=give)
        token = f"{how:x<43}"
        create_link(as_("wang"), no=made.no, company=SIEMENS, token=token, client_key=f"key-{how}")
        address = ended_one(as_, made, token, how)
        with count_queries(engine) as sent:
            answer = client.get(address)
        body = text(answer).replace(address.removeprefix("/v/"), "TOKEN")
        seen[how] = (answer.status_code, len(sent), body)
    assert {status for status, _n, _body in seen.values()} == {404}
    assert len({body for _status, _n, body in seen.values()}) == 1
    assert len({n for _status, n, _body in seen.values()}) <= 2, {h: s[1] for h, s in seen.items()}
    assert "North Hospital" not in seen["expired"][2]


def ended_one(as_, order, token, how):
    ctx = as_("wang")
    link = ctx.session.scalars(select(VendorLink).filter_by(work_order_id=order.id)).one()
    if how == "unknown":
        return "/v/" + "y" * 43
    if how == "revoked":
        revoke_link(ctx, no=order.no, link_id=link.id)
    elif how == "expired":
        with ctx.writing("test"):
            link.expires_at = utc_now()
    else:
        move_work(ctx, no=order.no, action="cancel", facts=Facts(reason="sold"))
    return f"/v/{token}"


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("act", ["come", "results", "notes", "complete", "wait_parts"])
def test_a_link_that_does_not_open_does_nothing(client, as_, order, link, how, act):
    address = ended(as_, order, link, how)
    before = count(as_("system"), AuditEntry)
    sent = {"person": "X", "text": "hello", "reason": "part", "remedy": "y", "cause": "UPF"}
    assert client.post(f"{address}/{act}", data=sent).status_code == 404
    assert count(as_("system"), AuditEntry) == before


def test_guessing_ends_and_a_good_link_still_opens(client, link):
    for n in range(MISSES):
        assert client.get(f"/v/guess-{n}").status_code == 404
    assert client.get("/v/guess-more").status_code == 429
    assert client.get("/r/guess-more").status_code == 429, "one count for both kinds of links"
    assert client.get(link).status_code == 200


@pytest.mark.database
def test_a_link_revoked_a_moment_ago_does_nothing(client, as_, order, link):
    come(client, link)
    revoke_link(as_("wang"), no=order.no, link_id=fresh(as_("wang"), VendorLink).id)
    assert post(client, f"{link}/complete", **DONE).status_code == 404
    assert fresh(as_("wang"), no=order.no).state is W.IN_PROGRESS


# -- what goes on ----------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["wait_parts", "wait_vendor", "wait_access"])
def test_leaving_for_now_ends_the_visit_and_coming_again_begins_one(
    client, as_, order, link, action
):
    come(client, link)
    refused = post(client, f"{link}/{action}")
    assert refused.status_code == 422
    post(client, f"{link}/{action}", reason="Fan ordered", expected_on="2027-01-05")
    waiting = fresh(as_("wang"), no=order.no)
    assert waiting.state.value == f"waiting_{action.removeprefix('wait_')}"
    assert (waiting.reason, str(waiting.expected_on)) == ("Fan ordered", "2027-01-05")
    first = fresh(as_("wang"), VendorVisit)
    assert first.left_at is not None
    assert first.done == "Fan ordered"
    come(client, link, "Li Na")
    assert fresh(as_("wang"), no=order.no).state is W.IN_PROGRESS
    assert count(as_("wang"), VendorVisit) == 2


def test_coming_while_the_hospital_is_at_it_already_is_a_visit_too(client, as_, order, link):
    move_work(as_("chen"), no=order.no, action="start")
    come(client, link)
    assert fresh(as_("wang"), no=order.no).state is W.IN_PROGRESS
    assert fresh(as_("wang"), VendorVisit).left_at is None


def test_when_the_hospital_ends_the_work_the_visit_ends(client, as_, order, link):
    come(client, link)
    move_work(as_("chen"), no=order.no, action="wait_access", facts=Facts(reason="in use"))
    assert fresh(as_("wang"), VendorVisit).left_at is not None


def test_nothing_is_done_by_nobody(client, as_, order, link):
    move_work(as_("chen"), no=order.no, action="start")
    assert client.post(f"{link}/results", data=answers(as_, order)).status_code == 409
    assert post(client, f"{link}/complete", **DONE).status_code == 409
    assert post(client, f"{link}/come", person="").status_code == 422


def test_unfinished_work_is_not_done(client, as_, order, link):
    come(client, link)
    answer = post(client, f"{link}/complete", **DONE)
    assert answer.status_code == 422
    assert "mandatory steps have no answer" in text(answer)
    client.post(f"{link}/results", data=answers(as_, order))
    assert post(client, f"{link}/complete").status_code == 422
    assert fresh(as_("wang"), no=order.no).state is W.IN_PROGRESS


def test_what_failed_gets_a_repair_of_its_own(client, as_, order, link):
    come(client, link)
    client.post(f"{link}/results", data=answers(as_, order, "fail"))
    assert post(client, f"{link}/complete", **DONE).status_code == 303
    [repair] = linked_orders(as_("wang"), fresh(as_("wang"), no=order.no))
    assert repair.origin == f"failed:{order.no}"
    assert repair.state is W.PLANNED


def test_returned_work_is_nobodys_any_more(client, as_, order, link):
    come(client, link)
    client.post(f"{link}/results", data=answers(as_, order))
    post(client, f"{link}/complete", **DONE)
    move_work(as_("wang"), no=order.no, action="return", facts=Facts(reason="still noisy"))
    assert fresh(as_("wang"), no=order.no).performed_by is None
    come(client, link, "Li Na")
    assert post(client, f"{link}/complete", **DONE).status_code == 303


def test_high_risk_equipment_stays_out_of_use_until_the_hospital_signs(client, as_):
    asset = make_asset(as_("wang"), "VENT", name="Ventilator")
    made = make_work(as_("wang"), asset)
    give = Facts(assignee_id=as_("wang").actor.user_id)
    move_work(as_("wang"), no=made.no, action="assign", facts=give)
    token = "t" * 43
    create_link(as_("wang"), no=made.no, company=SIEMENS, token=token, client_key="k" * 12)
    come(client, f"/v/{token}")
    assert post(client, f"/v/{token}/complete", **DONE).status_code == 303
    assert fresh(as_("wang"), Asset, id=asset.id).lifecycle is AssetState.UNDER_REPAIR
    with pytest.raises(NotAllowed):  # who accompanied the vendor does not approve it
        close(as_("wang"), no=made.no, password=PASSWORD)
    close(as_("zhao"), no=made.no, password=PASSWORD)
    assert fresh(as_("wang"), Asset, id=asset.id).lifecycle is AssetState.IN_SERVICE


NOT_THEIRS = ("assign", "take", "give_back", "return", "close", "cancel", "hand_over",
              "prioritise", "explode", "start", "resume")  # fmt: skip


@pytest.mark.parametrize("action", NOT_THEIRS)
def test_no_other_step_is_theirs(client, as_, order, link, action):
    before = count(as_("system"), AuditEntry)
    answer = post(client, f"{link}/{action}", reason="x", password=PASSWORD)
    assert answer.status_code == 404
    assert count(as_("system"), AuditEntry) == before


def test_a_name_does_not_make_a_colleague(client, as_, order, link):
    come(client, link, "wang@north.example")
    ctx = as_("wang")
    entry = ctx.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert entry.user_id is None
    assert all(
        e.actor.startswith("vendor:")
        for e in ctx.session.scalars(select(AuditEntry).where(AuditEntry.user_id.is_(None)))
        if e.command.startswith("vendor_work")
    )


# -- papers ----------------------------------------------------------------------------------


def hand_in(client, link, **files):
    data = {name: (io.BytesIO(content), "x.pdf") for name, content in files.items()}
    return client.post(f"{link}/notes", data={**data, "nonce": "NONCE-FILE-1"})


def test_a_report_is_served_to_be_saved_and_to_nobody_else(client, login, as_, order, link):
    assert hand_in(client, link, report=pdf()).status_code == 303
    no = order.no
    [address] = re.findall(rf'href="({re.escape(link)}/files/\d+)"', text(client.get(link)))
    for browser, path in [(client, address), (login("chen"), f"/work-orders/{no}/vendor-files/1")]:
        answer = browser.get(path)
        assert answer.status_code == 200
        assert answer.data.startswith(b"%PDF-")
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert login("qin").get(f"/work-orders/{no}/vendor-files/1").status_code == 404
    assert login("lin").get(f"/work-orders/{no}/vendor-files/1").status_code == 403
    other = make_work(as_("wang"))
    assert login("chen").get(f"/work-orders/{other.no}/vendor-files/1").status_code == 404


def test_another_link_to_the_order_does_not_open_their_files(client, as_, order, link):
    hand_in(client, link, report=pdf())
    token = "o" * 43
    create_link(
        as_("wang"), no=order.no, company=Company(name="Rival"), token=token, client_key="k2"
    )
    assert "Service report ·" not in text(client.get(f"/v/{token}"))
    assert client.get(f"/v/{token}/files/1").status_code == 404
    assert client.get(f"{link}/files/1").status_code == 200


HTML = b"<html><script>alert(1)</script></html>"


@pytest.mark.parametrize(
    "content",
    [HTML, b"MZ\x90\x00", b"%PDF-", b"%PDF-1.7\n" + HTML, b"%PDF-1.7\n" + b"\x00" * 500, pdf(0),
     pdf()[:300], pdf()[:-200], b"<svg xmlns='http://www.w3.org/2000/svg'/>", jpeg()[:100],
     b"PK\x03\x04", b"%PDF-1.4\ntrailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF"],
    ids=range(12),
)  # fmt: skip
def test_what_is_no_report_is_refused(client, as_, link, content):
    answer = hand_in(client, link, report=content)
    if answer.status_code == 303:  # a PDF that readers can mend
        assert fresh(as_("wang"), VendorFile).media_type == "application/pdf"
        return
    assert answer.status_code == 422
    assert count(as_("wang"), VendorFile) == count(as_("wang"), VendorNote) == 0


def test_a_locked_or_endless_report_is_refused():
    with pytest.raises(Invalid, match="locked"):
        read_report(pdf(encrypt="secret"))
    with pytest.raises(Invalid, match="10 MB"):
        read_report(b"%PDF-" + b"\x00" * MOST_BYTES)
    picture = read_report(jpeg(exif=b"Exif\x00\x00secret place"))
    assert picture.media_type == "image/jpeg"
    assert b"secret place" not in picture.content


def test_a_bad_photo_keeps_nothing_of_the_note(client, as_, link):
    sent = {
        "part": "notes",
        "text": "see photo",
        "photos": (io.BytesIO(HTML), "a.jpg"),
        "nonce": "NONCE-000001",
    }
    answer = client.post(f"{link}/notes", data=sent)
    assert answer.status_code == 422
    assert "see photo" in text(answer), "what was typed is still there"
    assert count(as_("wang"), VendorNote) == 0


def test_the_same_note_twice_is_one_and_an_empty_one_none(client, as_, link):
    for _ in range(2):
        post(client, f"{link}/notes", text="Hello", nonce="NONCE-000001")
    assert count(as_("wang"), VendorNote) == 1
    assert post(client, f"{link}/notes", text=" ").status_code == 422


# -- visits written down by the hospital -----------------------------------------------------

VISIT = {
    "company": "Siemens", "person": "Zhang Wei", "arrived_at": "2026-03-01T08:30",
    "left_at": "2026-03-01T10:00", "done": "Filter changed", "nonce": "NONCE-VISIT",
}  # fmt: skip


def test_a_visit_without_a_link_is_on_record(login, as_, order):
    for _ in range(2):
        answer = login("chen").post(f"/work-orders/{order.no}/visits", data=VISIT)
        assert answer.status_code == 303
    visit = fresh(as_("wang"), VendorVisit)
    assert (visit.person, visit.done, visit.recorded_by) == (
        "Zhang Wei",
        "Filter changed",
        "Chen Bo",
    )
    assert visit.arrived_at.isoformat() == "2026-03-01T00:30:00+00:00", "by the hospital's clock"
    page = text(login("wang").get(f"/work-orders/{order.no}"))
    assert "Filter changed" in page
    assert "written down by Chen Bo" in page


@pytest.mark.parametrize(
    "wrong",
    [{"arrived_at": "2099-01-01T08:00"}, {"left_at": "2026-02-28T08:00"}, {"person": ""},
     {"left_at": "2099-01-01T08:00"}, {"done": ""}, {"company": ""}, {"arrived_at": "yesterday"},
     {"arrived_at": "0001-01-01T00:00"}, {"vendor": "999"}],
    ids=str,
)  # fmt: skip
def test_a_visit_that_cannot_be_is_refused(login, as_, order, wrong):
    answer = login("chen").post(f"/work-orders/{order.no}/visits", data={**VISIT, **wrong})
    assert answer.status_code in {404, 422}
    assert count(as_("wang"), VendorVisit) == 0


def test_visits_and_links_stay_in_their_hospital(as_, order):
    noise = [make_work(as_("wang")) for _ in range(2)]  # numbers begin anew in each hospital
    theirs = make_work(as_("qin"), make_asset(as_("qin")))
    visited = Visited(SIEMENS, "Zhang", utc_now() - timedelta(hours=1), None, "x")
    record_visit(as_("qin"), no=theirs.no, visited=visited, client_key="k" * 10)
    for who, error in (("qin", NotFound), ("lin", NotAllowed)):
        with pytest.raises(error):
            record_visit(as_(who), no=noise[-1].no, visited=visited, client_key="j" * 10)
    assert visits_of(as_("wang"), order) == links_of(as_("wang"), order) == []


def test_over_the_api(login, client, bearer, order, as_):
    headers = bearer()
    base = f"/api/v1/work-orders/{order.no}"
    made = client.post(f"{base}/vendor-links", json={"company": "Siemens"}, headers=headers)
    assert made.status_code == 201
    assert client.get(made.json["link"]).status_code == 200
    [listed] = client.get(f"{base}/vendor-links", headers=headers).json["items"]
    assert "link" not in listed
    assert listed["company"] == "Siemens"
    ended = client.post(f"{base}/vendor-links/{listed['id']}/revoke", headers=headers)
    assert ended.json["revoked_at"]
    assert client.get(made.json["link"]).status_code == 404
    visit = {"company": "Siemens", "person": "Li", "arrived_at": "2026-03-01T08:30:00+08:00",
             "done": "Cleaned"}  # fmt: skip
    assert client.post(f"{base}/visits", json=visit, headers=headers).status_code == 201
    [shown] = client.get(f"{base}/visits", headers=headers).json["items"]
    assert (shown["person"], shown["by_link"], shown["left_at"]) == ("Li", False, None)
    south = bearer(who="qin")
    for path in ("vendor-links", "visits"):
        assert client.get(f"{base}/{path}", headers=south).status_code == 404


def test_the_pages_cost_the_same_however_much_there_is(client, login, engine, as_, order, link):
    come(client, link)

    def statements(browser, path):
        with count_queries(engine) as sent:
            assert browser.get(path).status_code == 200
        return len(sent)

    wang, staff = login("wang"), f"/work-orders/{order.no}/vendor"
    before = [statements(client, link), statements(wang, staff)]
    for n in range(4):
        post(client, f"{link}/notes", text=f"Note {n}", nonce=f"NONCE-N-{n}")
        create_link(
            as_("wang"), no=order.no, company=SIEMENS, token=f"{n}" * 43, client_key=f"c{n}"
        )
        visited = Visited(SIEMENS, "Li", utc_now() - timedelta(hours=1), None, "x")
        record_visit(as_("wang"), no=order.no, visited=visited, client_key=f"v{n}")
    assert [statements(client, link), statements(wang, staff)] <= [n + 1 for n in before]
