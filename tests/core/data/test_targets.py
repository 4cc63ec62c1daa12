from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from fer_core.data.item import EACH_ALONE, NEUTRAL_OR_CALM, Groups, Item, Shares, one_emotion
from fer_core.data.targets import Targets, cross_entropy

EQUAL = torch.ones(8)


def item(shares: Shares, groups: Groups = EACH_ALONE) -> Item:
    return Item("x", Path("x.wav"), "recording", True, False, shares, groups)


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_without_groups_it_is_the_usual_cross_entropy(
    logits: torch.Tensor, smoothing: float
) -> None:
    targets = Targets.of([item(one_emotion(i)) for i in range(8)]).smoothed(smoothing)
    weights = torch.arange(1.0, 9.0)
    usual = F.cross_entropy(
        logits, torch.arange(8), weights, reduction="none", label_smoothing=smoothing
    )
    torch.testing.assert_close(cross_entropy(logits, targets, weights), usual)


def test_shares_of_several_emotions_are_probabilities_to_meet(logits: torch.Tensor) -> None:
    shares = (0.0, 0.0, 0.5, 0.25, 0.0, 0.0, 0.25, 0.0)
    targets = Targets.of([item(shares)])
    usual = F.cross_entropy(logits[:1], torch.tensor([shares]), reduction="none")
    torch.testing.assert_close(cross_entropy(logits[:1], targets, EQUAL), usual)


def test_how_neutral_or_calm_is_divided_costs_nothing() -> None:
    probabilities = torch.tensor(
        [
            [0.6, 0.0001, 0.1, 0.1, 0.0999, 0.05, 0.03, 0.02],
            [0.3001, 0.3, 0.1, 0.1, 0.0999, 0.05, 0.03, 0.02],
            [0.0001, 0.6, 0.1, 0.1, 0.0999, 0.05, 0.03, 0.02],
        ]
    )
    for smoothing in (0.0, 0.1):
        targets = Targets.of([item(one_emotion(0), NEUTRAL_OR_CALM)] * 3).smoothed(smoothing)
        losses = cross_entropy(probabilities.log(), targets, EQUAL)
        torch.testing.assert_close(losses, losses[:1].expand(3))
    hard = Targets.of([item(one_emotion(0), NEUTRAL_OR_CALM)])
    expected = -torch.tensor([0.6001]).log()
    torch.testing.assert_close(cross_entropy(probabilities[:1].log(), hard, EQUAL), expected)


def test_smoothing_gives_a_group_the_share_of_its_emotions() -> None:
    shares = Targets.of([item(one_emotion(2), NEUTRAL_OR_CALM)]).smoothed(0.8).shares[0]
    torch.testing.assert_close(shares, torch.tensor([0.2, 0.0, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1]))


@pytest.mark.parametrize("groups", [EACH_ALONE, NEUTRAL_OR_CALM])
def test_the_gradient_is_finite_however_sure_the_network_is(groups: Groups) -> None:
    targets = Targets.of([item(one_emotion(0), groups)] * 2).smoothed(0.1)
    sure = 1000 * torch.eye(8)[[3, 1]]
    sure.requires_grad_()
    loss = cross_entropy(sure, targets, EQUAL)
    loss.sum().backward()
    assert loss.isfinite().all()
    assert sure.grad is not None
    assert sure.grad.isfinite().all()


def test_the_gradient_leaves_the_division_within_a_group_alone() -> None:
    logits = torch.zeros(1, 8, requires_grad=True)
    targets = Targets.of([item(one_emotion(0), NEUTRAL_OR_CALM)])
    cross_entropy(logits, targets, EQUAL).sum().backward()
    assert logits.grad is not None
    neutral, calm, *others = logits.grad[0]
    assert neutral == calm < 0
    assert all(other > 0 for other in others)


def test_shuffled_labels_keep_their_groups() -> None:
    targets = Targets.of([item(one_emotion(0), NEUTRAL_OR_CALM), item(one_emotion(1))])
    turned = targets.shuffled(torch.tensor([1, 0]))
    assert turned.shares.argmax(1).tolist() == [1, 0]
    assert turned.groups[:, 0, 1].tolist() == [0, 1]


def test_sharpened_votes_favour_the_majority_and_stay_shares() -> None:
    targets = Targets(torch.tensor([[0.6, 0.4, 0, 0, 0, 0, 0, 0]]), torch.eye(8).unsqueeze(0))
    sharper = targets.sharpened(2.0).shares[0]
    assert sharper.tolist() == pytest.approx([0.36 / 0.52, 0.16 / 0.52, 0, 0, 0, 0, 0, 0])
    assert torch.equal(targets.sharpened(1.0).shares, targets.shares)
