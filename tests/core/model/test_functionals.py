from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from fer_core.model.descriptors import DESCRIPTORS, OF_PITCH, Descriptors, energy
from fer_core.model.functionals import FUNCTIONALS, PERCENTILES, Functionals, melody
from fer_core.model.inputs import LOG_FLOOR
from fer_core.model.modulations import MODULATIONS

ALL = torch.ones(1, 301, dtype=torch.bool)


def speech(frames: int = 120, seed: int = 0) -> Tensor:
    """(F, 160) that is loud throughout."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(frames, 160, generator=generator) - 4


def clip_of(voice: Tensor, first: int) -> Tensor:
    """(1, 301, 160): ``voice`` from a frame on, in digital silence."""
    clip = torch.full((1, 301, 160), LOG_FLOOR)
    clip[0, first : first + len(voice)] = voice
    return clip


def compressed(logarithms: Tensor) -> Tensor:
    """A power of power: its 0.15th."""
    return ((0.15 * logarithms).exp() - 1) / 0.15


@torch.inference_mode()
def test_means_and_percentiles_are_those_of_what_is_spoken() -> None:
    voice = speech()
    found = Functionals()(clip_of(voice, 100), ALL)[0]
    beside = (clip_of(voice, 100) - energy(voice).mean()).clamp(min=LOG_FLOOR)
    described = Descriptors()(compressed(beside))[0, 100:220].numpy()
    assert np.allclose(found[:DESCRIPTORS], described.mean(0), atol=1e-4)
    assert np.allclose(found[DESCRIPTORS : 2 * DESCRIPTORS], described.std(0) + 1e-3, atol=1e-3)
    first = 4 * DESCRIPTORS
    percentiles = found[first : first + len(PERCENTILES) * DESCRIPTORS].reshape(-1, DESCRIPTORS)
    expected = np.quantile(described, PERCENTILES, axis=0, method="nearest")
    assert np.allclose(percentiles, expected, atol=1e-5)


@torch.inference_mode()
def test_the_melody_is_all_that_is_said_of_pitch_and_the_modulations() -> None:
    voice = speech()
    found = Functionals()(clip_of(voice, 100), ALL)[0]
    of_pitch = found[: FUNCTIONALS - MODULATIONS].unflatten(0, (-1, DESCRIPTORS))[:, -OF_PITCH:]
    assert torch.equal(
        found[melody()], torch.cat([of_pitch.flatten(), found[FUNCTIONALS - MODULATIONS :]])
    )


@torch.inference_mode()
def test_a_difference_between_loud_bands_counts_for_more_than_one_between_faint_bands() -> None:
    voice = torch.full((120, 160), -4.0)
    voice[:, 40:80] = LOG_FLOOR + 3
    means = []
    for raised in (slice(0, 20), slice(40, 60)):
        other = voice.clone()
        other[:, raised] += 2
        means.append(Functionals()(clip_of(other, 100), ALL)[0, :40].unflatten(0, (4, 10)).mean(1))
    loud, faint = means[0][0] - means[0][1], means[1][2] - means[1][3]
    assert 0 < faint < 0.5 * loud


@torch.inference_mode()
def test_when_in_the_clip_somebody_speaks_makes_no_difference() -> None:
    functionals, voice = Functionals(), speech()
    early, late = functionals(clip_of(voice, 60), ALL), functionals(clip_of(voice, 100), ALL)
    assert torch.allclose(early, late, atol=2e-3)
    assert not torch.allclose(early, functionals(clip_of(speech(seed=1), 60), ALL), atol=0.1)


@torch.inference_mode()
def test_how_loud_a_microphone_makes_a_voice_makes_no_difference() -> None:
    functionals, voice = Functionals(), speech(301)
    usual = functionals(clip_of(voice, 0), ALL)
    assert torch.allclose(usual, functionals(clip_of(voice + 2, 0), ALL), atol=1e-3)
    assert torch.allclose(usual, functionals(clip_of(voice - 2, 0), ALL), atol=1e-3)


@torch.inference_mode()
def test_a_rising_voice_has_another_slope_than_a_falling_one() -> None:
    rise = torch.linspace(-6, -2, 120).unsqueeze(1).expand(-1, 160)
    functionals = Functionals()
    slopes = [
        functionals(clip_of(voice, 100), ALL)[0, 11 * DESCRIPTORS : 11 * DESCRIPTORS + 40].mean()
        for voice in (rise, rise.flip(0))
    ]
    assert slopes[0] > 1
    assert slopes[1] < -1


@torch.inference_mode()
def test_noise_far_under_the_voice_around_it_does_not_count() -> None:
    functionals, voice = Functionals(), speech()
    quiet = clip_of(voice, 100)
    noisy = torch.where(quiet == LOG_FLOOR, LOG_FLOOR + 0.5, quiet)
    noisy[:, 99] = LOG_FLOOR  # from which to the voice's first frame the flux is measured
    assert torch.allclose(functionals(quiet, ALL), functionals(noisy, ALL), atol=2e-3)


@torch.inference_mode()
def test_what_is_not_heard_does_not_count() -> None:
    functionals, voice = Functionals(), speech()
    heard = ALL.clone()
    heard[0, 220:] = False
    both = clip_of(torch.cat([voice, speech(60, seed=1)]), 100)
    alone = functionals(clip_of(voice, 100), ALL)
    assert torch.allclose(
        functionals(torch.where(heard.unsqueeze(-1), both, LOG_FLOOR), heard), alone
    )


@torch.inference_mode()
def test_clips_are_judged_one_by_one_and_silence_has_numbers() -> None:
    functionals = Functionals()
    clips = torch.cat([clip_of(speech(), 80), clip_of(speech(9, 1), 0), clip_of(speech(), 0)])
    heard = ALL.repeat(3, 1)
    heard[2] = False
    together = functionals(clips, heard)
    assert together.shape == (3, FUNCTIONALS)
    assert together.isfinite().all()
    for place in range(3):
        alone = functionals(clips[place : place + 1], heard[place : place + 1])
        assert torch.allclose(together[place], alone[0], atol=1e-4)
