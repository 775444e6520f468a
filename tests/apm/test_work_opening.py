import pytest
from apm.tickets.commands import open_work
from apm.tickets.model import *
from apm.assets.model import Asset
from sqlalchemy import select
@pytest.mark.database
def test_open(as_):
    ctx=as_("wang")
    with ctx.writing("x"):
        a=Asset(code="AAAA1111",number="1",name="V",category="VENT"); ctx.session.add(a)
    w=open_work(ctx,type=WorkType.PREDICTIVE,asset=a,title="t",origin="alarm:1",evidence={"a":1},template_code="VENT")
    assert w.no.endswith("-000001")
    w2=open_work(ctx,type=WorkType.PREDICTIVE,asset=a,title="t",origin="alarm:2",evidence={"a":2})
    assert w2.id==w.id and w2.evidence["also"][0]["a"]==2
    w3=open_work(as_("system"),type=WorkType.PREDICTIVE,asset=a,title="t",origin="alarm:2",evidence={"a":2})
    assert w3.id==w.id and len(w3.evidence["also"])==1
    w4=open_work(ctx,type=WorkType.PREVENTIVE,asset=a,title="t",origin="o:2")
    assert w4.no.endswith("-000002")
    n=ctx.session.query(WorkStep).count(); assert n==47
