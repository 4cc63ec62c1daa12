from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from fer_core.typed_values import read_section


@dataclass(frozen=True)
class Part:
    share: float = 0.5

    @staticmethod
    def in_full(values: Any) -> Any:
        return {"share": values} if type(values) is float else values


@dataclass(frozen=True)
class Everything:
    name: str
    count: int = 1
    most: int | None = None
    widths: tuple[int, ...] = ()
    bits: Literal["16", "32"] = "32"
    on: bool = True
    part: Part = Part()  # it is frozen


def test_values_become_what_their_annotations_say() -> None:
    values = {
        "name": "a", "count": 2, "most": 3, "widths": [4, 5], "bits": 16, "on": False,
        "part": {"share": 1},
    }  # fmt: skip
    assert read_section(Everything, values, "all") == Everything(
        "a", 2, 3, (4, 5), "16", False, Part(1.0)
    )
    assert read_section(Everything, {"name": "a", "part": 0.25}, "all").part == Part(0.25)
    assert read_section(Everything, {"name": "a", "most": None}, "all") == Everything("a")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"count": 1.5}, r"all\.count: expected int"),
        ({"most": "3"}, r"all\.most: expected int"),
        ({"widths": [4, "5"]}, r"all\.widths: expected int"),
        ({"bits": "8"}, r"all\.bits: '8' is not one of"),
        ({"part": {"share": "1"}}, r"all\.part\.share: expected float"),
        ({"part": {"size": 1}}, r"all\.part: unknown size"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_section(Everything, {"name": "a", **changes}, "all")


def test_what_has_no_default_must_be_there() -> None:
    with pytest.raises(ValueError, match="all: name missing"):
        read_section(Everything, {}, "all")
