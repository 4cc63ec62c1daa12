from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch

from fer_core.data.batch import Batch
from fer_core.data.item import EACH_ALONE, Item, one_emotion
from fer_core.data.targets import Targets
from fer_core.model.inputs import LOG_FLOOR
from fer_core.training.config import TrainingConfig
from fer_core.training.mixing import mixed

MIXUP = TrainingConfig(mixup=1.0, cutmix=0.0, mix_share=1.0)
CUTMIX = TrainingConfig(mixup=0.0, cutmix=1.0, mix_share=1.0)


def batch(clips: int = 2, pictures: int = 0, encoded: bool = False, heard: bool = True) -> Batch:
    """Clips filled with their number: 0, 1 ...; ``pictures`` of each, or none."""
    item = Item("x", Path("x"), "recording", True, True, one_emotion(0), EACH_ALONE)
    items = [replace(item, shares=one_emotion(number % 8)) for number in range(clips)]

    def filled(*shape: int) -> torch.Tensor:
        return torch.arange(float(clips)).view(-1, *(1 for _ in shape)).expand(-1, *shape)

    return Batch(
        Targets.of(items),
        Targets.of(items),
        Targets.of(items),
        frame_mask=torch.ones(clips, 16, dtype=torch.bool),
        audio_mask=torch.full((clips, 8), heard),
        pictures=filled(pictures, 3, 224, 224) if pictures else None,
        rois=torch.ones(clips, pictures, 196, dtype=torch.bool) if pictures else None,
        vectors=filled(16, 4) if encoded else None,
        spectra=None if encoded else filled(301, 160),
        steps=filled(38, 4) if encoded else None,
    )


def until_swapped(given: Batch, config: TrainingConfig) -> tuple[Batch, torch.Tensor, float]:
    """Mixed by an order in which the first two clips changed places."""
    for seed in range(50):
        torch.manual_seed(seed)
        made, order, share = mixed(given, config)
        if order is not None and order[:2].tolist() == [1, 0]:
            return made, order, share
    raise AssertionError("never swapped")


@pytest.mark.parametrize(
    "config",
    [
        TrainingConfig(mixup=0.0, cutmix=0.0, mix_share=1.0),
        TrainingConfig(mixup=0.0, cutmix=1.0, mix_share=1.0),  # for single pictures alone
        TrainingConfig(mix_share=0.0),
    ],
)
def test_switched_off_it_changes_nothing(config: TrainingConfig) -> None:
    given = batch()
    made, order, share = mixed(given, config)
    assert (made is given, order, share) == (True, None, 1.0)


def test_switched_off_it_draws_nothing() -> None:
    before = torch.get_rng_state()
    mixed(batch(pictures=1), TrainingConfig(mixup=0.0, cutmix=0.0))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_batch_of_one_is_not_mixed() -> None:
    assert mixed(batch(clips=1), MIXUP)[1] is None


@pytest.mark.parametrize("encoded", [False, True])
def test_mixup_averages_by_the_share_of_the_own_label(encoded: bool) -> None:
    given = batch(encoded=encoded)
    made, _, share = until_swapped(given, MIXUP)
    assert 0 < share < 1
    assert torch.equal(made.targets.shares, given.targets.shares)
    for name in ("vectors", "steps") if encoded else ("spectra",):
        values = getattr(made, name)
        torch.testing.assert_close(values[0], torch.full_like(values[0], 1 - share))
        torch.testing.assert_close(values[1], torch.full_like(values[1], share))


def test_mixup_happens_in_its_share_of_the_batches() -> None:
    config = replace(MIXUP, mix_share=0.25)
    torch.manual_seed(0)
    times = sum(mixed(batch(), config)[1] is not None for _ in range(400))
    assert 70 < times < 130


def test_what_either_clip_has_is_present_and_what_one_hides_is_nothing() -> None:
    given = batch(pictures=16)
    hidden = torch.zeros(2, 16, dtype=torch.bool)
    hidden[0] = True
    given = replace(
        given,
        frame_mask=hidden,
        pictures=torch.where(hidden[..., None, None, None], given.pictures + 2, torch.nan),
        rois=hidden.unsqueeze(-1).expand(-1, -1, 196),
        audio_mask=torch.tensor([[False] * 8, [True] * 4 + [False] * 4]),
        spectra=given.spectra.clone().index_fill(0, torch.tensor(0), torch.nan),
    )
    made, _, share = until_swapped(given, MIXUP)
    assert made.frame_mask.all()
    assert made.rois is not None
    assert made.rois.all()
    assert made.audio_mask.tolist() == [[True] * 4 + [False] * 4] * 2
    assert made.pictures is not None
    assert made.spectra is not None
    torch.testing.assert_close(made.pictures[0], torch.full_like(made.pictures[0], 2 * share))
    torch.testing.assert_close(made.pictures[1], torch.full_like(made.pictures[1], 2 - 2 * share))
    # Of the mel frames 0 to 149 the second clip has 1, the first silence; then nobody has any.
    expected = (1 - share) * 1 + share * LOG_FLOOR
    torch.testing.assert_close(made.spectra[0, :150], torch.full((150, 160), expected))
    torch.testing.assert_close(made.spectra[:, 150:], torch.full((2, 151, 160), LOG_FLOOR))


def test_cutmix_puts_as_much_of_the_other_face_as_its_label_counts() -> None:
    given = batch(pictures=1, heard=False)
    made, _, share = until_swapped(given, CUTMIX)
    assert made.pictures is not None
    other = made.pictures[0, 0, 0] == 1
    face = torch.zeros(224, 224, dtype=torch.bool)
    face[48:176, 48:176] = True
    assert other.sum() / face.sum() == pytest.approx(1 - share)
    assert not (other & ~face).any()
    rows, columns = other.any(1).sum(), other.any(0).sum()
    assert rows == columns > 0
    assert rows * columns == other.sum()


def test_a_face_with_a_voice_is_not_cut_for_the_voice_would_stay_whole() -> None:
    made, order, _ = mixed(batch(pictures=1), CUTMIX)
    assert order is None
    assert torch.equal(made.pictures, batch(pictures=1).pictures)


@pytest.mark.parametrize("config", [MIXUP, CUTMIX])
def test_the_batch_that_was_given_is_left_alone(config: TrainingConfig) -> None:
    given = batch(pictures=1, heard=False)
    before = {
        field.name: value.clone()
        for field in fields(given)
        if isinstance(value := getattr(given, field.name), torch.Tensor)
    }
    until_swapped(given, config)
    for name, value in before.items():
        assert torch.equal(getattr(given, name), value)
