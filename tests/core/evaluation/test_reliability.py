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


def test_no_answers_have_no_error() -> None:
    with pytest.raises(ValueError, match="no answers"):
        reliability(torch.zeros(0), torch.zeros(0, dtype=torch.bool))
