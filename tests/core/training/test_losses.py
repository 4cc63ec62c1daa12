from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from fer_core.data.item import EACH_ALONE, NEUTRAL_OR_CALM, Item, one_emotion
from fer_core.data.targets import Targets
from fer_core.training.losses import (
    class_weights,
    clip_loss,
    contrastive_loss,
    division_loss,
    seen_prior,
    segment_loss,
)

EQUAL = torch.ones(8)


def labels(*emotions: int) -> Targets:
    return Targets.of(
        [
            Item("x", Path("x"), "recording", True, False, one_emotion(emotion), EACH_ALONE)
            for emotion in emotions
        ]
    )


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_a_clip_that_has_nothing_counts_as_zero() -> None:
    logits, present = noise(3, 8), torch.tensor([True, False, True])
    losses = F.cross_entropy(logits, torch.tensor([1, 2, 3]), reduction="none")
    expected = (losses[0] + losses[2]) / 3
    torch.testing.assert_close(clip_loss(logits, present, labels(1, 2, 3), EQUAL), expected)


def test_segments_count_by_clip_however_many_each_has() -> None:
    logits = noise(2, 8, 8)
    present = torch.zeros(2, 8, dtype=torch.bool)
    present[0, :1] = present[1, 2:6] = True
    losses = F.cross_entropy(
        logits.flatten(0, 1), torch.tensor([1] * 8 + [4] * 8), reduction="none"
    ).view(2, 8)
    expected = (losses[0, 0] + losses[1, 2:6].mean()) / 2
    torch.testing.assert_close(segment_loss(logits, present, labels(1, 4), EQUAL), expected)


def test_without_any_segment_the_loss_is_zero_and_so_is_its_gradient() -> None:
    logits = noise(2, 8, 8).requires_grad_()
    loss = segment_loss(logits, torch.zeros(2, 8, dtype=torch.bool), labels(1, 4), EQUAL)
    loss.backward()
    assert loss == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_the_contrastive_loss_is_what_is_computed_by_hand() -> None:
    voices = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    faces = torch.tensor([[3.0, 4.0], [0.0, 5.0]])  # cosines 0.6 and 0, 0.8 and 1
    both = torch.tensor([True, True])
    first = -math.log(math.exp(0.6 / 0.5) / (math.exp(0.6 / 0.5) + math.exp(0.0)))
    second = -math.log(math.exp(1 / 0.5) / (math.exp(0.8 / 0.5) + math.exp(1 / 0.5)))
    loss = contrastive_loss(voices, faces, both, temperature=0.5)
    assert loss.item() == pytest.approx((first + second) / 2, rel=1e-6)


def test_who_has_only_one_of_the_two_neither_counts_nor_repels() -> None:
    voices, faces = noise(4, 3).requires_grad_(), noise(4, 3) + 1
    both = torch.tensor([True, True, False, True])
    loss = contrastive_loss(voices, faces, both, 0.07)
    kept = contrastive_loss(voices[both], faces[both], both[both], 0.07)
    torch.testing.assert_close(loss, kept * 3 / 4)
    loss.backward()
    assert voices.grad is not None
    assert not voices.grad[2].any()
    assert voices.grad[[0, 1, 3]].any(1).all()
    nobody = contrastive_loss(voices, faces, torch.zeros(4, dtype=torch.bool), 0.07)
    assert nobody == 0


def test_halves_that_look_at_all_faces_are_the_whole() -> None:
    voices, faces = noise(6, 3), noise(6, 3) ** 2
    both = torch.tensor([True, True, True, False, True, True])
    whole = contrastive_loss(voices, faces, both, 0.07)
    halves = [
        contrastive_loss(voices[first : first + 3], faces, both, 0.07, first) for first in (0, 3)
    ]
    torch.testing.assert_close(sum(halves) / 2, whole)


def test_class_weights_are_the_inverse_of_the_frequency_with_mean_one() -> None:
    shares = torch.eye(8)[[2, 2, 2, 3]]
    weights = class_weights(shares)
    assert weights[2] == pytest.approx(4 / 3 / 2)
    assert weights[3] == pytest.approx(4 / 2)
    assert weights[[0, 1, 4, 5, 6, 7]].tolist() == [1.0] * 6
    assert (shares @ weights).mean() == pytest.approx(1)


def test_a_handful_of_clips_cannot_rule() -> None:
    shares = torch.eye(8)[[2] * 999 + [3]]
    weights = class_weights(shares)
    assert weights[3] / weights[2] == pytest.approx(10, rel=0.01)  # without the limit it is 999
    assert (shares @ weights).mean() == pytest.approx(1)


def test_a_neutral_or_calm_face_shall_be_neutral_three_times_of_five() -> None:
    item = Item("x", Path("x"), "still", False, True, one_emotion(0), NEUTRAL_OR_CALM)
    probabilities = torch.tensor([0.48, 0.32, 0.1, 0.02, 0.02, 0.02, 0.02, 0.02])
    present = torch.ones(1, 8, dtype=torch.bool)
    as_wanted = probabilities.log().expand(1, 8, 8)
    assert division_loss(as_wanted, present, Targets.of([item])).item() == pytest.approx(
        0, abs=1e-6
    )
    turned = as_wanted[..., [1, 0, 2, 3, 4, 5, 6, 7]]
    expected = 0.6 * math.log(0.6 / 0.4) + 0.4 * math.log(0.4 / 0.6)
    present[0, 4:] = False
    turned = torch.where(present.unsqueeze(-1), turned, 100 * noise(1, 8, 8))
    assert division_loss(turned, present, Targets.of([item])).item() == pytest.approx(
        expected, rel=1e-4
    )


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_each_clip_is_divided_by_its_own_label(order: list[int]) -> None:
    items = [
        Item("x", Path("x"), "still", False, True, one_emotion(emotion), groups)
        for emotion, groups in ((0, NEUTRAL_OR_CALM), (0, EACH_ALONE), (3, NEUTRAL_OR_CALM))
    ]
    logits, present = noise(3, 8, 8)[order], torch.ones(3, 8, dtype=torch.bool)
    targets = Targets.of([items[place] for place in order])
    first = order.index(0)  # the others have nothing to divide
    alone = division_loss(logits[[first]], present[:1], Targets.of(items[:1]))
    assert alone > 0.01
    torch.testing.assert_close(division_loss(logits, present, targets), alone / 3)


@pytest.mark.parametrize("emotion", [0, 2])
def test_what_labels_tell_apart_is_not_divided(emotion: int) -> None:
    groups = EACH_ALONE if emotion == 0 else NEUTRAL_OR_CALM
    item = Item("x", Path("x"), "still", False, True, one_emotion(emotion), groups)
    logits = noise(1, 8, 8).requires_grad_()
    loss = division_loss(logits, torch.ones(1, 8, dtype=torch.bool), Targets.of([item]))
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    torch.testing.assert_close(logits.grad, torch.zeros_like(logits))


def test_how_often_an_emotion_was_seen_is_its_share_of_the_loss() -> None:
    prior = seen_prior(labels(2, 2, 2, 4), EQUAL).exp()
    torch.testing.assert_close(prior[[2, 4]], torch.tensor([0.75, 0.25]))
    assert prior[[0, 1, 3, 5, 6, 7]].tolist() == pytest.approx(6 * [0.01]), "never none at all"
    weights = torch.where(torch.arange(8) == 4, 3.0, 1.0)
    prior = seen_prior(labels(2, 2, 2, 4), weights).exp()
    torch.testing.assert_close(prior[[2, 4]], torch.tensor([0.5, 0.5]))


def test_what_a_label_does_not_tell_apart_was_seen_alike() -> None:
    rest = Item("x", Path("x"), "still", False, True, one_emotion(0), NEUTRAL_OR_CALM)
    happy = Item("y", Path("y"), "still", False, True, one_emotion(2), NEUTRAL_OR_CALM)
    prior = seen_prior(Targets.of([rest, rest, rest, happy]), EQUAL).exp()
    torch.testing.assert_close(prior[:3], torch.tensor([0.75, 0.75, 0.25]))
