from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "decisions.md"


def anchor(heading: str) -> str:
    """As GitHub and others make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_decision_is_listed_once_under_a_theme() -> None:
    text = PAGE.read_text(encoding="utf-8")
    headings = re.findall(r"^## (\d{4}-\d\d-\d\d .*)$", text, re.MULTILINE)
    listed = re.findall(r"\]\(#([^)]+)\)", text)
    assert len(headings) > 40
    assert sorted(listed) == sorted(map(anchor, headings))
