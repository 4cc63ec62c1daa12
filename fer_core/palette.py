"""The eight emotions' colours, ``#rrggbb`` in the order of ``fer_core.labels``.

The window, charts and pictures with results drawn on them use the same. They start from Okabe and
Ito's set (Color Universal Design, 2008), moved until each has a contrast of 3:1 on what is behind
(WCAG 2.2, 1.4.11) and every pair stays apart under protanopia and deuteranopia too; the tests of
the window's themes compute both.
"""

from __future__ import annotations

ON_DARK = (
    "#a29c99", "#22b3fe", "#f6cf2e", "#087cdb", "#dc4400", "#b64994", "#3be7b5", "#eb9503",
)  # fmt: skip
ON_LIGHT = (
    "#62696e", "#2798d5", "#ab8e03", "#0052af", "#bb5104", "#87186e", "#0e9977", "#7b4500",
)  # fmt: skip
