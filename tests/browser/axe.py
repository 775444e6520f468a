"""Asking axe what on a page keeps somebody out."""

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parent.parent.parent / ".tools" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[str]:
    """Return what axe finds on the page as it stands: rule, weight, places.  Empty: nothing.

    By `evaluate`, as the pages' own policy forbids a script tag of ours.
    """
    page.evaluate(AXE.read_text())
    options = {"runOnly": TAGS, "resultTypes": ["violations"]}
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{one['id']} ({one['impact']}): {[node['target'] for node in one['nodes']]}"
        for one in found["violations"]
    ]


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window (0: it fits)."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return max(wide, 0)
