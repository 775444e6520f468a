"""The columns of an equipment list: what their headers are called, here and elsewhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from apm.assets.model import AssetState
from apm.core.i18n import choose


class Kind(StrEnum):
    """How a cell of the column is read."""

    TEXT = "text"
    NOTE = "note"
    CATEGORY = "category"
    DAY = "day"
    MONEY = "money"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Column:
    """One field of an asset as a column."""

    field: str
    en: str
    zh: str
    aliases: tuple[str, ...] = ()
    kind: Kind = Kind.TEXT

    @property
    def header(self) -> str:
        """The header in the language spoken now."""
        return choose(self.en, self.zh)


COLUMNS = (
    Column("number", "Asset number", "资产编号", (
        "number", "asset no", "asset id", "asset tag", "inventory number", "equipment number",
        "设备编号", "固定资产编号", "编号", "资产编码", "设备编码", "资产号")),
    Column("name", "Name", "英文名", (
        "asset name", "equipment name", "device name", "english name", "name en", "description",
        "英文名称", "设备英文名", "外文名称")),
    Column("name_zh", "Chinese name", "名称", (
        "name zh", "设备名称", "资产名称", "中文名", "中文名称", "仪器名称", "品名")),
    Column("category", "Category", "类别", (
        "device type", "equipment type", "type", "class", "设备类别", "资产类别", "分类",
        "设备分类", "资产分类", "设备类型"), Kind.CATEGORY),
    Column("manufacturer", "Manufacturer", "生产厂家", (
        "maker", "brand", "make", "vendor", "厂家", "厂商", "制造商", "生产厂商", "品牌",
        "生产企业")),
    Column("model", "Model", "型号", ("model number", "规格型号", "型号规格", "设备型号")),
    Column("serial", "Serial number", "序列号", (
        "serial", "serial no", "sn", "s n", "出厂编号", "机身号", "设备序列号", "出厂序列号")),
    Column("department", "Department", "使用科室", (
        "ward", "unit", "dept", "科室", "所在科室", "使用部门", "部门", "领用科室")),
    Column("location", "Location", "存放地点", (
        "room", "place", "位置", "地点", "存放位置", "安装地点", "房间", "所在位置")),
    Column("purchased_on", "Purchase date", "购置日期", (
        "purchased on", "date of purchase", "purchased", "采购日期", "购买日期", "购入日期"),
        Kind.DAY),
    Column("in_service_on", "In service since", "启用日期", (
        "in service on", "commissioned on", "commissioning date", "installation date",
        "投用日期", "使用日期", "开始使用日期", "安装日期"), Kind.DAY),
    Column("warranty_until", "Warranty until", "保修到期", (
        "warranty end", "warranty expires", "warranty expiry", "保修截止", "保修到期日",
        "保修截止日期", "质保到期", "保修期至", "质保到期日期"), Kind.DAY),
    Column("purchase_cost", "Price", "价格", (
        "purchase cost", "purchase price", "cost", "原值", "单价", "金额", "购置价格", "资产原值",
        "采购价格", "购买价格", "价值"), Kind.MONEY),
    Column("lifecycle", "State", "状态", (
        "status", "lifecycle", "使用状态", "设备状态", "资产状态"), Kind.STATE),
    Column("udi_di", "UDI-DI", "UDI", (
        "udi", "udi di", "device identifier", "di", "医疗器械唯一标识", "唯一标识", "产品标识")),
    Column("lot", "Lot", "批号", ("batch", "lot number", "生产批号")),
    Column("note", "Note", "备注", ("notes", "remark", "remarks", "comment", "说明"), Kind.NOTE),
)  # fmt: skip
REQUIRED = (("number",), ("name", "name_zh"), ("category",))
"""Of each group at least one column must be there."""

STATES: dict[AssetState, tuple[str, str, tuple[str, ...]]] = {
    AssetState.PLANNED: ("Planned", "计划中", ("计划",)),
    AssetState.ORDERED: ("Ordered", "已订购", ("采购中",)),
    AssetState.RECEIVED: ("Received", "已到货", ("到货",)),
    AssetState.ACCEPTANCE: ("Acceptance", "验收中", ("待验收",)),
    AssetState.IN_SERVICE: ("In service", "在用", ("使用中", "使用", "正常", "in use", "active")),
    AssetState.STANDBY: ("Standby", "备用", ("闲置", "库存", "spare")),
    AssetState.ON_LOAN: ("On loan", "借出", ("外借",)),
    AssetState.UNDER_REPAIR: ("Under repair", "维修中", ("维修", "在修", "in repair")),
    AssetState.QUARANTINED: ("Quarantined", "停用隔离", ("隔离", "停用")),
    AssetState.MISSING: ("Missing", "未找到", ("丢失", "盘亏", "遗失", "lost")),
    AssetState.RETIRED: ("Retired", "退役", ("已退役", "待报废")),
    AssetState.DISPOSED: ("Disposed", "已报废", ("报废", "已处置", "scrapped")),
}
"""The words of a list for each state: ours in both languages, then others that are understood."""


def column_of(header: str) -> Column | None:
    """Return the column a header means, None if it is none of ours.

    >>> column_of("设备编号*").field, column_of("原值（元）").field, column_of("Shoe size")
    ('number', 'purchase_cost', None)
    """
    known = _headers()
    return known.get(plain_word(header)) or known.get(plain_word(_without_brackets(header)))


def is_in_ten_thousands(header: str) -> bool:
    """Tell whether amounts below this header are in 万元 (10,000 yuan)."""
    return "万" in header


def state_of(text: str) -> AssetState | None:
    """Return the state a word of either language means."""
    return _states().get(plain_word(text))


def state_word(state: AssetState) -> str:
    """Return the word for a state in the language spoken now."""
    en, zh, _others = STATES[state]
    return choose(en, zh)


def plain_word(text: str) -> str:
    """Return a header or word in the form it is compared in."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def _without_brackets(header: str) -> str:
    return re.sub(r"\(.*?\)", "", unicodedata.normalize("NFKC", header))


@cache
def _headers() -> dict[str, Column]:
    return dict(_unique((plain_word(w), c) for c in COLUMNS for w in (*_words(c), c.field)))


def _words(column: Column) -> tuple[str, ...]:
    return (column.en, column.zh, *column.aliases)


@cache
def _states() -> dict[str, AssetState]:
    return {
        plain_word(word): state
        for state, (en, zh, others) in STATES.items()
        for word in (state.value, en, zh, *others)
    }


def _unique(pairs: Iterator[tuple[str, Column]]) -> Iterator[tuple[str, Column]]:
    seen: dict[str, Column] = {}
    for word, column in pairs:
        if seen.setdefault(word, column) is not column:
            raise ValueError(f"the header {word!r} means two columns")
        yield word, column
