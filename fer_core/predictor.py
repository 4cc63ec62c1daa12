"""A clip in, a prediction out: tensors stay inside.

Looking, up to what a face does over the clip, and listening need nothing of each other until both
are joined, and small networks gain little from two cores each: for a live clip they run side by
side.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fer_core.device import resolve_device
from fer_core.media import SAMPLE_RATE, Clip, FaceBox, VideoFrame
from fer_core.model.folding import folded
from fer_core.model.inputs import AUDIO_STEPS
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.model.segment_pooling import seen_segments
from fer_core.model.temperature import calibrated_logits
from fer_core.prediction import Prediction
from fer_core.preprocess.clip_processor import ClipProcessor, Sound
from fer_core.preprocess.speech_listener import SpeechListener
from fer_core.weights import load_checkpoint

FEW_FRAMES = 4  # more take the network longer than the sound, and need all threads


@dataclass(frozen=True, slots=True, eq=False)
class EncodedFace:
    """What the network made of one face in one frame, the costly half of a prediction."""

    box: FaceBox
    vector: Tensor  # (D,)
    kept: tuple[int, ...]  # row-major patches


@dataclass(frozen=True, slots=True, eq=False)
class EncodedSound:
    """What the network made of a clip's sound."""

    sound: Sound
    steps: Tensor  # (38, Da); zeros if nothing in it counts as heard


@dataclass(frozen=True, slots=True, eq=False)
class WatchedFaces:
    """What the network made of the faces of some clips, each over its whole time."""

    faces: list[list[EncodedFace | None]]  # of each clip's frames
    segments: Tensor  # (B, 8, D)
    mask: Tensor  # (B, 8) bool, where there is a face


FaceKey = tuple[int, FaceBox]  # a frame's index and the face looked at: equal keys, equal pixels
EncodedFaces = Mapping[FaceKey, EncodedFace]


class Predictor:
    """The one way from a clip to an answer, live and in files.

    Training and its scores share with it how clips are prepared, the network and its calibration.

    It looks for no faces and remembers nothing: equal clips give equal predictions. What may be
    remembered of a stream, faces and speech, its caller keeps.
    """

    def __init__(self, model: MultimodalFER, device: str = "cpu") -> None:
        """``device`` is one of torch's; :func:`fer_core.device.resolve_device` names one."""
        self.config = model.config
        self._model = folded(model.to(device))
        self._device = torch.device(device)
        self._processor = ClipProcessor(model.config)
        self._sound_thread = ThreadPoolExecutor(1, "sound encoder")

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> Self:
        """The model saved in ``folder`` on ``device``: auto, cpu, cuda or mps.

        Raises:
            UserError: the folder holds no usable model, or there is no such device.
        """
        name = resolve_device(device)
        return cls(load_checkpoint(folder, name), name)

    def predict(self, clip: Clip) -> Prediction | None:
        """The answer to ``clip``; None if it has neither a face nor a sound that counts.

        Raises:
            ValueError: the clip cannot be processed, or the network's answer is not finite.
        """
        prediction, _ = self.step(clip, {})
        return prediction

    @torch.inference_mode()
    def step(
        self, clip: Clip, known: EncodedFaces, listener: SpeechListener | None = None
    ) -> tuple[Prediction | None, EncodedFaces]:
        """The same answer, without looking again at faces ``known`` from an earlier clip.

        Args:
            listener: of the clip's source; it does not listen again for speech.

        Returns:
            The answer, and the faces of this clip, for the next clip of the same source.

        Raises:
            ValueError: as :meth:`predict`.
        """
        started = time.perf_counter()
        looked_at = list(zip(clip.frames, clip.faces, strict=True))
        new = len(_new_frames(looked_at, known))
        if torch.get_num_threads() > 1 and 0 < new <= FEW_FRAMES:
            with _threads_shared() as share:
                hearing = self._sound_thread.submit(self._encode_sound_on, share, clip, listener)
                seen = self.encode_faces(looked_at, known)
                watched = self._watch([clip], seen)
                heard = hearing.result()
                (prediction,) = self._answers([clip], heard, watched, started)
        else:
            seen = self.encode_faces(looked_at, known)
            watched = self._watch([clip], seen)
            heard = self.encode_sound([clip], listener)
            (prediction,) = self._answers([clip], heard, watched, started)
        return prediction, seen

    @torch.inference_mode()
    def answers(
        self, clips: Sequence[Clip], seen: EncodedFaces, listener: SpeechListener | None = None
    ) -> list[Prediction | None]:
        """The answers to clips whose faces were all looked at before, in one go.

        Four together take two thirds of the time that they take one by one.

        Args:
            listener: as for :meth:`step`.

        Raises:
            ValueError: as :meth:`predict`.
        """
        started = time.perf_counter()
        watched = self._watch(clips, seen)
        return self._answers(clips, self.encode_sound(clips, listener), watched, started)

    def _answers(
        self,
        clips: Sequence[Clip],
        heard: Sequence[EncodedSound],
        watched: WatchedFaces,
        started: float,
    ) -> list[Prediction | None]:
        sounds = [own.sound for own in heard]
        audio_masks = torch.stack([sound.audio_mask for sound in sounds])
        told = (audio_masks | watched.mask).any(1).nonzero().flatten().tolist()
        answers: list[Prediction | None] = [None] * len(clips)
        if not told:
            return answers
        audio_masks, seen_masks = audio_masks[told], watched.mask[told]
        output = self._model.join(
            watched.segments[told],
            seen_masks.to(self._device),
            torch.stack([heard[place].steps for place in told]),
            audio_masks.to(self._device),
        )
        logits, segment_logits = calibrated_logits(
            output.logits.cpu(),
            output.segment_logits.cpu(),
            audio_masks,
            seen_masks,
            self.config.temperatures,
        )
        probabilities = _probabilities(logits)
        segment_probabilities = _probabilities(segment_logits)
        segment_weights = output.segment_weights.cpu().numpy()
        took_ms = 1000 * (time.perf_counter() - started) / len(told)
        for row, place in enumerate(told):
            shown = watched.faces[place]
            newest = next((face for face in reversed(shown) if face is not None), None)
            uncertain_below = self.config.thresholds.uncertain_below.of(
                heard=bool(audio_masks[row].any()), seen=bool(seen_masks[row].any())
            )
            answers[place] = Prediction(
                clip_end_s=clips[place].end_s,
                probabilities=probabilities[row],
                segment_probabilities=segment_probabilities[row],
                segment_weights=segment_weights[row],
                segment_audio=audio_masks[row].numpy(),
                segment_video=seen_masks[row].numpy(),
                uncertain=float(probabilities[row].max()) < uncertain_below,
                face=newest.box if newest else None,
                kept_patches=newest.kept if newest else (),
                audio_level_dbfs=sounds[place].level_dbfs,
                segment_speech=sounds[place].segment_speech,
                took_ms=took_ms,
            )
        return answers

    @torch.inference_mode()
    def encode_faces(
        self, looked_at: Sequence[tuple[VideoFrame | None, FaceBox | None]], known: EncodedFaces
    ) -> dict[FaceKey, EncodedFace]:
        """Every face once, though a slow camera's frame may fill several places of a clip.

        Those ``known`` already are not looked at again, so their frames need no pixels any more.
        """
        keys = {
            (frame.index, box) for frame, box in looked_at if frame is not None and box is not None
        }
        seen = {key: known[key] for key in keys if key in known}
        new = _new_frames(looked_at, known)
        if not new:
            return seen
        pictures = [self._processor.picture(frame.image, box) for (_, box), frame in new.items()]
        features = self._model.encode_frames(
            torch.stack([picture.pixels for picture in pictures]).to(self._device),
            torch.stack([picture.roi for picture in pictures]).to(self._device),
        )
        # Copies: a row alone would keep the whole batch alive for as long as it is known.
        vectors = [vector.clone() for vector in features.vectors]
        for key, vector, kept in zip(new, vectors, features.kept.tolist(), strict=True):
            seen[key] = EncodedFace(key[1], vector, tuple(kept))
        return seen

    @torch.inference_mode()
    def encode_sound(
        self, clips: Sequence[Clip], listener: SpeechListener | None = None
    ) -> list[EncodedSound]:
        """The sound of ``clips``; where none counts as heard the network is not asked.

        Args:
            listener: of their source, if they follow each other.

        Raises:
            ValueError: a real sample is not finite.
        """
        sounds = [self._sound(clip, listener) for clip in clips]
        told = [place for place, sound in enumerate(sounds) if sound.audio_mask.any()]
        steps = torch.zeros(
            len(clips), AUDIO_STEPS, self.config.audio.step_width, device=self._device
        )
        if told:
            spectra = torch.stack([sounds[place].spectra for place in told]).to(self._device)
            masks = torch.stack([sounds[place].audio_mask for place in told]).to(self._device)
            steps[told] = self._model.encode_audio(spectra, masks)
        return [EncodedSound(sound, own) for sound, own in zip(sounds, steps, strict=True)]

    def _sound(self, clip: Clip, listener: SpeechListener | None) -> Sound:
        if listener is None:
            return self._processor.sound(clip.waveform, clip.waveform_mask)
        first = round(clip.start_s * SAMPLE_RATE)
        speech_in = partial(listener.by_segment, first)
        return self._processor.sound(clip.waveform, clip.waveform_mask, speech_in)

    def _encode_sound_on(
        self, threads: int, clip: Clip, listener: SpeechListener | None
    ) -> list[EncodedSound]:
        torch.set_num_threads(threads)  # each thread has its own number
        return self.encode_sound([clip], listener)

    def _watch(self, clips: Sequence[Clip], seen: EncodedFaces) -> WatchedFaces:
        """The part of the decision that needs no sound; without a face the network is not asked."""
        faces = [
            [
                seen[frame.index, box] if frame is not None and box is not None else None
                for frame, box in zip(clip.frames, clip.faces, strict=True)
            ]
            for clip in clips
        ]
        mask = torch.tensor([[face is not None for face in shown] for shown in faces])
        if not mask.any():
            return WatchedFaces(faces, self._model.unseen_segments(len(clips)), seen_segments(mask))
        hidden = torch.zeros(self.config.vision.width, device=self._device)
        vectors = [hidden if face is None else face.vector for shown in faces for face in shown]
        segments = self._model.video_segments(
            torch.stack(vectors).unflatten(0, mask.shape), mask.to(self._device)
        )
        return WatchedFaces(faces, segments, seen_segments(mask))


@contextmanager
def _threads_shared() -> Iterator[int]:
    """Half of torch's threads for the caller; the other half is given."""
    threads = torch.get_num_threads()
    torch.set_num_threads(threads - threads // 2)
    try:
        yield threads // 2
    finally:
        torch.set_num_threads(threads)


def _new_frames(
    looked_at: Sequence[tuple[VideoFrame | None, FaceBox | None]], known: EncodedFaces
) -> dict[FaceKey, VideoFrame]:
    """Those whose face is not ``known``, each once."""
    return {
        (frame.index, box): frame
        for frame, box in looked_at
        if frame is not None and box is not None and (frame.index, box) not in known
    }


def _probabilities(logits: Tensor) -> NDArray[np.float32]:
    """The same shape as ``logits`` (..., 8)."""
    if not torch.isfinite(logits).all():
        raise ValueError(f"the network answered with logits {logits.tolist()}")
    probabilities: NDArray[np.float32] = logits.float().softmax(dim=-1).numpy()
    return probabilities
