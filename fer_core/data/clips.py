"""Clips of three seconds cut out of items: varied ones for training, all of them for scoring."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import torch
from numpy.random import Generator
from torch import Tensor

from fer_core.config import FERConfig
from fer_core.data.augment.picture import PictureAugmentation, picture_variation
from fer_core.data.augment.sound import (
    SoundAugmentation,
    stretched_seconds,
    vary_spectra,
    vary_waveform,
)
from fer_core.data.batch import Sample
from fer_core.data.item import Item
from fer_core.data.joined_speech import joined
from fer_core.data.pairs import voice_of
from fer_core.data.store import MediaStore, Prepared
from fer_core.media import (
    CLIP_SECONDS,
    FRAMES_PER_CLIP,
    SEGMENTS,
    TICK_SECONDS,
    clip_starts,
)
from fer_core.model.inputs import SPECTRA_BINS
from fer_core.patches import IMAGE_SIZE, PATCHES
from fer_core.preprocess.clip_processor import ClipProcessor, as_pixels

ATTEMPTS = 3  # to find a crop of an utterance in which somebody speaks


@dataclass(frozen=True)
class Augmentation:
    """How training varies what it shows."""

    sound: SoundAugmentation = field(default_factory=SoundAugmentation)
    picture: PictureAugmentation = field(default_factory=PictureAugmentation)


@dataclass(frozen=True, slots=True)
class Modalities:
    """What a sample shall hold, as far as its item has it."""

    audio: bool = True
    video: bool = True

    @property
    def only(self) -> str | None:
        """The one that is wanted alone, "audio" or "video"; otherwise None."""
        if self.audio == self.video:
            return None
        return "audio" if self.audio else "video"

    def of(self, item: Item) -> Modalities:
        """Those of them that ``item`` has."""
        return Modalities(self.audio and item.has_sound, self.video and item.has_picture)


class ClipCutter:
    """Item -> Sample, through the processors of the live program."""

    def __init__(self, store: MediaStore, config: FERConfig, blank: Tensor) -> None:
        """``blank`` (160,): what SpecAugment puts where it hides; the network's mean of speech."""
        self._store = store
        self._processor = ClipProcessor(config)
        self._speech_probability = config.thresholds.speech_probability
        self._blank = blank

    def varied(
        self,
        item: Item,
        wanted: Modalities,
        how: Augmentation | None,
        rng: Generator,
        followed_by: Sequence[Item] = (),
    ) -> Sample:
        """A random clip of ``item``; without ``how`` it is not varied otherwise.

        With ``followed_by`` it is a clip of talk that goes on with them, and shows nothing.
        """
        wanted = wanted.of(item)
        prepared = self._store.prepared(item)
        if followed_by:
            wanted = replace(wanted, video=False)
            parts = [prepared, *map(self._store.prepared, followed_by)]
            prepared = joined(parts, self._speech_probability, rng)
        sample = Sample(item, _nothing(FRAMES_PER_CLIP), _nothing(SEGMENTS))
        for _ in range(ATTEMPTS):
            start_s = random_start(item, prepared, rng)
            if wanted.audio:
                spectra, audio_mask = self._varied_sound(prepared, start_s, how, rng)
                sample = replace(sample, spectra=spectra, audio_mask=audio_mask)
            if not wanted.audio or sample.audio_mask.any():
                break
        if wanted.video:
            sample = self._look(sample, item, prepared, start_s, how, rng)
        return sample

    def window(self, item: Item, start_s: float, wanted: Modalities) -> Sample:
        """The clip at ``start_s`` as the live program would see it."""
        if item.face is not None:
            voice = self.window(voice_of(item), start_s, wanted)
            return replace(voice.seeing(self.window(item.face, 0.0, wanted)), item=item)
        wanted = wanted.of(item)
        prepared = self._store.prepared(item)
        sample = Sample(item, _nothing(FRAMES_PER_CLIP), _nothing(SEGMENTS))
        if wanted.audio:
            sound = self._processor.sound(*prepared.heard(start_s))
            sample = replace(sample, spectra=sound.spectra, audio_mask=sound.audio_mask)
        if wanted.video:
            sample = self._look(sample, item, prepared, start_s, None, None)
        return sample

    def starts(self, item: Item) -> list[float]:
        """Where the windows begin over which an item's answer is the mean."""
        if item.kind == "still":
            return [0.0]
        heard = item if item.face is None else voice_of(item)
        return clip_starts(self._store.prepared(heard).duration_s)

    def _varied_sound(
        self, prepared: Prepared, start_s: float, how: Augmentation | None, rng: Generator
    ) -> tuple[Tensor, Tensor]:
        seconds = CLIP_SECONDS if how is None else stretched_seconds(how.sound, rng)
        samples, real = prepared.heard(start_s, seconds)
        if how is not None:
            samples, real = vary_waveform(samples, real, how.sound, rng)
        # Where somebody speaks is known from the recording: to look for it again in each variation
        # took two fifths of the time.
        speech = prepared.spoken(start_s, seconds, self._speech_probability)
        sound = self._processor.sound(samples, real, lambda *_: speech)
        if how is None:
            return sound.spectra, sound.audio_mask
        return vary_spectra(sound.spectra, self._blank, how.sound, rng), sound.audio_mask

    def _look(
        self,
        sample: Sample,
        item: Item,
        prepared: Prepared,
        start_s: float,
        how: Augmentation | None,
        rng: Generator | None,
    ) -> Sample:
        """Add pictures: one of a still, sixteen of a recording, zeros where hidden."""
        shown = prepared.shown(start_s).tolist()
        if item.kind == "still":
            shown = [0 if len(prepared.pictures) else -1]
        pixels = torch.zeros(len(shown), 3, IMAGE_SIZE, IMAGE_SIZE)
        rois = torch.zeros(len(shown), PATCHES, dtype=torch.bool)
        vary = None if how is None or rng is None else picture_variation(how.picture, rng)
        for place, index in enumerate(shown):
            if index < 0:
                continue
            picture, roi = prepared.pictures[index], prepared.rois[index]
            if vary is not None:
                picture, roi = vary(picture, roi)
            pixels[place], rois[place] = as_pixels(picture), torch.from_numpy(roi)
        mask = torch.tensor([index >= 0 for index in shown]).expand(FRAMES_PER_CLIP).clone()
        return replace(sample, pictures=pixels, rois=rois, frame_mask=mask)


def random_start(item: Item, prepared: Prepared, rng: Generator) -> float:
    """Where a random clip begins; with pictures on one of the ticks at which they were taken."""
    last = max(prepared.duration_s - CLIP_SECONDS, 0.0)
    if item.kind == "still" or not last:
        return 0.0
    if item.has_picture:
        return TICK_SECONDS * int(rng.integers(0, int(last / TICK_SECONDS) + 1))
    return float(rng.uniform(0.0, last))


def spectra_statistics(samples: Iterable[Tensor]) -> tuple[Tensor, Tensor] | None:
    """Mean and standard deviation of each bin over spectra (F, 160): 2 x (160,); None of none.

    Sums are kept, not the spectra, which would be gigabytes of a large corpus.
    """
    frames, total, squares = (
        0,
        torch.zeros(SPECTRA_BINS).double(),
        torch.zeros(SPECTRA_BINS).double(),
    )
    for spectra in samples:
        values = spectra.double()  # sums of millions
        frames += len(values)
        total += values.sum(0)
        squares += values.square().sum(0)
    if frames < 2:
        return None
    mean = total / frames
    variance = (squares - frames * mean.square()) / (frames - 1)
    return mean.float(), variance.clamp(min=0).sqrt().clamp(min=1e-3).float()


def _nothing(places: int) -> Tensor:
    return torch.zeros(places, dtype=torch.bool)
