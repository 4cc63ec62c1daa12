from __future__ import annotations

import pytest
import torch
from torchmetrics.functional.classification import binary_calibration_error

from fer_core.evaluation.reliability import reliability


def test_four_known_answers() -> None:
    """0.95 and 0.97 share a bin, of which one is right; 0.5 is right, 0.3 is wrong."""
    found = reliability(
        torch.tensor([0.95, 0.97, 0.5, 0.3]), torch.tensor([True, False, True, False])
    )
    assert found.counts[14] == 2
    assert found.confidence[14] == pytest.approx(0.96)
    assert found.accuracy[14] == 0.5
    # (2 x |0.96 - 0.5| + |0.5 - 1| + |0.3 - 0|) / 4
    assert found.ece == pytest.approx((2 * 0.46 + 0.5 + 0.3) / 4)


def test_sure_and_right_is_no_error() -> None:
    assert reliability(torch.ones(3), torch.ones(3, dtype=torch.bool)).ece == 0


def test_the_error_is_that_of_torchmetrics() -> None:
    random = torch.Generator().manual_seed(0)
    confidence = torch.rand(500, generator=random)
    right = torch.rand(500, generator=random) < confidence**2
    expected = binary_calibration_error(confidence, right.long(), n_bins=15)
    assert reliability(confidence, right).ece == pytest.approx(float(expected), abs=1e-6)


def test_few_true_confidences_have_an_error_by_chance() -> None:
    random = torch.Generator().manual_seed(0)
    confidence = torch.linspace(0.2, 0.98, 180)
    errors = [
        reliability(confidence, torch.rand(180, generator=random) < confidence).ece
        for _ in range(400)
    ]
    expected = reliability(confidence, confidence > 0.5).ece_by_chance
    assert expected == pytest.approx(sum(errors) / len(errors), abs=0.003)
    assert 0.07 < expected < 0.12


def test_certainty_and_many_answers_leave_nothing_to_chance() -> None:
    assert reliability(torch.ones(3), torch.ones(3, dtype=torch.bool)).ece_by_chance == 0
    many = torch.full((100_000,), 0.5)
    assert reliability(many, many > 0).ece_by_chance < 0.002
    one = torch.full((1,), 0.3)  # right in 3 of 10 cases, with an error of 0.7, else one of 0.3
    assert reliability(one, one > 0).ece_by_chance == pytest.approx(0.3 * 0.7 + 0.7 * 0.3)


def test_no_answers_have_no_error() -> None:
    with pytest.raises(ValueError, match="no answers"):
        reliability(torch.zeros(0), torch.zeros(0, dtype=torch.bool))
