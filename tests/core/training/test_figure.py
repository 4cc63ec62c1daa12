from __future__ import annotations

import html
import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from fer_core.config import FERConfig
from fer_core.costs import costs_of
from fer_core.errors import UserError
from fer_core.training.figure import boxes_of, draw

DOCS = Path(__file__).parents[3] / "docs"


def boxes_in(svg: Path) -> list[dict[str, str]]:
    found = re.search(r"<dc:description>(.*?)</dc:description>", svg.read_text(), re.DOTALL)
    assert found is not None
    boxes: list[dict[str, str]] = json.loads(html.unescape(found.group(1)))
    return boxes


def test_every_part_of_the_code_is_a_box_with_its_shape(tiny_config: FERConfig) -> None:
    boxes = {box.name: box for box in boxes_of(tiny_config)}
    for part in costs_of(tiny_config):
        assert boxes[part.name].shape == part.shape
    assert boxes["log-mel and pitch"].shape == "(B, 301, 160)"


def test_the_drawn_figure_is_of_the_code_as_it_is() -> None:
    """If not: python train.py summary --figure docs/architecture.svg."""
    assert boxes_in(DOCS / "architecture.svg") == [
        asdict(b) for b in boxes_of(FERConfig.preset("compact"))
    ]


def test_the_page_has_a_paragraph_for_every_box() -> None:
    page = (DOCS / "architecture.md").read_text().lower()
    for box in boxes_of(FERConfig.preset("compact")):
        if box.name != "waveform":
            assert f"\n**{box.name.lower()}** (`fer_core/" in page, box.name


def test_equal_networks_are_equal_files(tiny_config: FERConfig, tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw(tiny_config, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_picture_of_another_kind_is_written_too(tiny_config: FERConfig, tmp_path: Path) -> None:
    draw(tiny_config, tmp_path / "network.png")
    assert (tmp_path / "network.png").read_bytes().startswith(b"\x89PNG")


def test_an_unknown_kind_of_picture_is_a_users_error(
    tiny_config: FERConfig, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="could not be written"):
        draw(tiny_config, tmp_path / "network.xyz")
