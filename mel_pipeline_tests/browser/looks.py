"""How every page must look, light and dark, on a desk and on a phone: accessible, readable, not cut off."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

HEIGHT = 800
# Theme, width, and whether axe-core measures contrast as well: six sevenths of its time, and a theme has the same
# colours on a desk and on a phone. CONTRAST measures them everywhere.
LOOKS = [("light", 1280, True), ("light", 390, False), ("dark", 1280, False), ("dark", 390, True)]

# Contrast of every piece of text against the first opaque background behind it (WCAG 2.2, 1.4.3).
CONTRAST = """() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const ground = node => { for (; node; node = node.parentElement) { const c = rgb(getComputedStyle(node).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, box = node.parentElement;
    if (!node.textContent.trim() || !box.checkVisibility()) continue;
    const [low, high] = [light(rgb(getComputedStyle(box).color)), light(ground(box))].sort((a, b) => a - b);
    const ratio = (high + .05) / (low + .05);
    if (ratio < 4.5) poor.push([node.textContent.trim().slice(0, 40), ratio.toFixed(2)]);
  }
  return poor;
}"""

CUT_OFF = """() => [...document.querySelectorAll('main *')].filter(node => {
  if (node.closest('.scroll') || node.closest('.hidden') || !node.checkVisibility()) return false;
  const box = node.getBoundingClientRect();
  return box.width > 0 && (box.left < -1 || box.right > innerWidth + 1);
}).map(node => node.outerHTML.slice(0, 80))"""


def issues(page: Page, *, contrast: bool = True) -> list[tuple[str, str]]:
    """What axe-core finds on the page as it is shown: rule, and the first element that breaks it."""
    axe = Axe()
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe.axe_script)
    options = {"resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": contrast}}}
    found = page.evaluate("options => axe.run(options)", options)["violations"]
    return [(item["id"], item["nodes"][0]["html"]) for item in found]


def looks_right(page: Page, height: int = HEIGHT) -> None:
    """Nothing is inaccessible, unreadable, cut off or to be scrolled sideways in any theme and width."""
    for scheme, width, contrast in LOOKS:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": height})
        assert issues(page, contrast=contrast) == [], (scheme, width)
        assert page.evaluate(CONTRAST) == [], (scheme, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, scheme
        assert page.evaluate(CUT_OFF) == [], (scheme, width)
