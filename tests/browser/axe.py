"""What on a page keeps somebody out: as axe sees it, too wide for its window, not translated."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from playwright.sync_api import BrowserContext, Page

AXE = Path(__file__).resolve().parent.parent.parent / ".tools" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ENGLISH = re.compile(r"[A-Za-z][a-z'’]+(?:[ ,]+[A-Za-z][a-z'’]*){2,}")
PROGRAMS = re.compile(r"\bapm( [a-z]+)+|Authorization: Bearer TOKEN")
SAID = """() => {
  const foreign = "[translate=no], [lang=en], script, style, code, time";
  const found = [];
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    const text = walker.currentNode.data.replace(/\\s+/g, " ").trim();
    if (text && parent && !parent.closest(foreign)) found.push(text);
  }
  for (const element of document.querySelectorAll("[aria-label],[placeholder],[title],[alt]")) {
    if (element.closest(foreign)) continue;
    for (const name of ["aria-label", "placeholder", "title", "alt"]) {
      if (element.hasAttribute(name)) found.push(element.getAttribute(name));
    }
  }
  return found;
}"""
"""All words of a page: seen, spoken, and those that a script may say later."""


OF_THE_LOOK = ["color-contrast", "scrollable-region-focusable", "target-size"]
"""The rules of axe that colours and places decide, and not the markup alone."""
EVERYWHERE = "*"
WITHIN = "body.staff main *, body:not(.staff) *"
"""Without the header, menu and footer that all pages of the staff have in common."""
LOOKED_AT_ONCE = ["color-contrast", "target-size"]
"""Rules that look at one thing after the other, and take most of the time."""


def bring_axe(context: BrowserContext) -> None:
    """Let each page begin with axe in it: to send it to one after the other takes longer."""
    context.add_init_script(script=_axe())


def violations(page: Page, rules: list[str] | None = None, look: str = EVERYWHERE) -> list[str]:
    """Return what axe finds on the page as it stands: rule, weight, places.  Empty: nothing.

    All rules of `TAGS`, or only those named; `look` chooses what colours and sizes are judged of.
    By `evaluate`, as the pages' own policy forbids a script tag of ours.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    options = {"runOnly": only, "resultTypes": ["violations"], "preload": False}
    chosen = {"rules": [{"id": rule, "selector": look} for rule in LOOKED_AT_ONCE]}
    found = page.evaluate(
        "([chosen, options]) => { axe.configure(chosen); return axe.run(document, options) }",
        [chosen, options],
    )
    return [
        f"{one['id']} ({one['impact']}): {[node['target'] for node in one['nodes']][:5]}"
        for one in found["violations"]
    ]


@cache
def _axe() -> str:
    return f"{{ {AXE.read_text()} }}"


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window (0: it fits)."""
    wide: int = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return max(wide, 0)


def spilled(page: Page) -> list[str]:
    """Return the words that run over the edge of the box drawn around them."""
    boxes = (
        ".tile span, .button, .chip, .tag, .kpi .value, .card, .notice, h1, h2, tbody td, tbody th"
    )
    found: list[str] = page.evaluate(
        """boxes => [...document.querySelectorAll(boxes)]
          .filter(box => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1)
          .filter(box => box.clientWidth && !box.closest(".unseen, .scroll:not(.sticky)"))
          .map(box => `${box.className || box.tagName}: ${box.innerText.slice(0, 60)}`)""",
        boxes,
    )
    return sorted(set(found))


def english_sentences(page: Page, quoted: Iterable[str] = ()) -> list[str]:
    """Return the texts of a Chinese page in which three English words follow each other.

    What is marked as a name or as English (`translate=no`, `lang=en`, codes) is left out, and
    so are commands and the `quoted` texts, which stay as they were written.
    """
    left = {PROGRAMS.sub("", text) for text in page.evaluate(SAID)}
    return sorted(text for text in left if ENGLISH.search(_without(text, quoted)))


def _without(text: str, quoted: Iterable[str]) -> str:
    for source in quoted:
        text = text.replace(source, "")
    return text
