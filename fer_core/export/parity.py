"""Whether an exported network gives torch's answers, on random clips with hidden parts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fer_core.export.parts import Part, Runners
from fer_core.media import FRAMES_PER_CLIP, SEGMENTS
from fer_core.model.inputs import MEL_FRAMES, SPECTRA_BINS, ModelInputs
from fer_core.model.roi_compression import central_roi
from fer_core.patches import IMAGE_SIZE

PROBABILITIES = "probabilities"  # the whole chain's answer, of clip and segments


@dataclass(frozen=True, slots=True)
class Difference:
    """The largest difference of one output; ``kept`` counts patches, all else is in its units."""

    part: str
    output: str
    largest: float
    of: float  # the largest value torch gave


@torch.inference_mode()
def differences(parts: tuple[Part, ...], exported: Runners) -> list[Difference]:
    """Each output of each exported part against torch's, given equal inputs, and the whole chain's.

    The clips are noise with frames and segments hidden at random; in one nothing was heard, in one
    nothing seen. Their batches have sizes the files were not traced with.
    """
    clips = random_clips(3, seed=0)
    ours: Runners = {part.name: part.module for part in parts}
    inputs = _inputs_of_parts(clips, ours)
    found = []
    for part in parts:
        wanted = ours[part.name](*inputs[part.name])
        given = exported[part.name](*inputs[part.name])
        for port, right, answer in zip(part.outputs, wanted, given, strict=True):
            found.append(_difference(part.name, port.name, right, answer))
    right = probabilities(ours, clips)
    answer = probabilities(exported, clips)
    found.append(_difference("all", PROBABILITIES, right, answer))
    return found


@torch.inference_mode()
def probabilities(runners: Runners, clips: ModelInputs) -> Tensor:
    """The calibrated answers to clip and segments, (B, 1 + 8, 8), as the predictor finds them."""
    logits, segment_logits, _ = runners["decision"](*_inputs_of_parts(clips, runners)["decision"])
    both = torch.cat([logits.unsqueeze(1), segment_logits], dim=1)
    return both.softmax(-1)


def _inputs_of_parts(clips: ModelInputs, runners: Runners) -> dict[str, tuple[Tensor, ...]]:
    """What each part is given for ``clips``; only real frames are looked at."""
    assert clips.roi is not None
    real = clips.frame_mask
    looked_at = (clips.pixels[real], clips.roi[real])  # (N, 3, 224, 224), (N, 196)
    heard = (clips.spectra, clips.audio_mask)
    seen, _ = runners["frame_encoder"](*looked_at)
    vectors = seen.new_zeros(*real.shape, seen.shape[-1])  # (B, T, D)
    vectors[real] = seen
    (steps,) = runners["audio_encoder"](*heard)
    return {
        "frame_encoder": looked_at,
        "audio_encoder": heard,
        "decision": (vectors, real, steps, clips.audio_mask),
    }


def random_clips(clips: int, seed: int) -> ModelInputs:
    """Noise of a face's and a voice's level; the first clip has no sound, the second no face."""
    noise = torch.Generator().manual_seed(seed)
    frame_mask = torch.rand(clips, FRAMES_PER_CLIP, generator=noise) < 0.5
    audio_mask = torch.rand(clips, SEGMENTS, generator=noise) < 0.7
    audio_mask[0] = False
    frame_mask[1] = False
    roi = torch.rand(clips, FRAMES_PER_CLIP, central_roi().numel(), generator=noise) < 0.5
    roi[:, ::2] = central_roi()
    shape = (clips, FRAMES_PER_CLIP, 3, IMAGE_SIZE, IMAGE_SIZE)
    return ModelInputs(
        pixels=torch.rand(shape, generator=noise) * 2 - 1,
        frame_mask=frame_mask,
        roi=roi,
        spectra=4 * torch.randn(clips, MEL_FRAMES, SPECTRA_BINS, generator=noise) - 7,
        audio_mask=audio_mask,
    )


def _difference(part: str, output: str, right: Tensor, answer: Tensor) -> Difference:
    if right.dtype == torch.long:  # kept patches: how many in a frame are other ones
        other = ~(answer.unsqueeze(-1) == right.unsqueeze(-2)).any(-1)
        return Difference(part, output, float(other.sum(-1).max()), float(right.shape[-1]))
    largest = (answer - right).abs().max()
    return Difference(part, output, float(largest), float(right.abs().max()))
