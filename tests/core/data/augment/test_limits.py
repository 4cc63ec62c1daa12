"""Settings that no variation can have."""

from __future__ import annotations

from typing import Any

import pytest

from fer_core.training.config import RunConfig


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("sound", "time_mask_frames", 400),
        ("sound", "frequency_mask_bins", -1),
        ("sound", "frequency_mask_bins", 100),
        ("sound", "stretch", -0.1),
        ("sound", "stretch", float("inf")),
        ("sound", "noise", 1.5),
        ("sound", "gain_db", float("nan")),
        ("picture", "flip", -0.5),
        ("picture", "scale", 3.0),
        ("picture", "rotation_degrees", float("inf")),
    ],
)
def test_they_are_named_where_they_are_read(part: str, name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"{part.capitalize()}Augmentation\.{name} is {value}"):
        RunConfig.from_values({"training": {"augmentation": {part: {name: value}}}})


def test_none_at_all_is_allowed() -> None:
    nothing = {"sound": {"stretch": 0, "time_masks": 0}, "picture": {"scale": 0, "shift": 0}}
    config = RunConfig.from_values({"training": {"augmentation": nothing}})
    assert config.training.augmentation.sound.stretch == 0
