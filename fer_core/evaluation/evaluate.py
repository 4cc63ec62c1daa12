"""A model's answers about items, in batches, as the live program would give them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from fer_core.data.batch import Batch
from fer_core.data.clips import ClipCutter, Modalities
from fer_core.data.datasets import Windows
from fer_core.data.item import Item
from fer_core.data.store import MediaStore
from fer_core.evaluation.answers import Answers, BatchAnswers
from fer_core.media import FRAMES_PER_CLIP
from fer_core.model.inputs import AUDIO_STEPS, SPECTRA_BINS, ModelOutput
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.model.segment_pooling import seen_segments

WINDOWS_AT_ONCE = 32
PICTURES_AT_ONCE = 64  # a batch of recordings has 512; so many fill two cores

OnBatch = Callable[[int, int], None]  # batches done, and of how many


def evaluate(
    model: MultimodalFER,
    items: Sequence[Item],
    store: MediaStore,
    wanted: Modalities,
    on_batch: OnBatch | None = None,
) -> Answers:
    """The raw answers of ``model``, put in evaluation mode, about all windows of ``items``.

    ``wanted``: what is shown of items that have it.

    Raises:
        UserError: an item cannot be read.
        ValueError: there are no items.
    """
    cutter = ClipCutter(store, model.config, blank=torch.zeros(SPECTRA_BINS))  # nothing is varied
    there = Modalities(  # blank pictures of 32 windows without any would be 308 MB
        audio=wanted.audio and any(item.has_sound for item in items),
        video=wanted.video and any(item.has_picture for item in items),
    )
    windows = Windows(items, cutter, there, WINDOWS_AT_ONCE)

    def batches() -> Iterable[tuple[Batch, Sequence[int]]]:
        for index in range(len(windows)):
            yield windows[index]
            if on_batch is not None:
                on_batch(index + 1, len(windows))

    return answers_to(model, items, batches())


@torch.inference_mode()
def answers_to(
    model: MultimodalFER, items: Sequence[Item], batches: Iterable[tuple[Batch, Sequence[int]]]
) -> Answers:
    """The same about windows cut by others; with each batch comes the place of each one's item."""
    model.eval()
    device = next(model.parameters()).device
    said = []
    for batch, places in batches:
        output = answer(model, batch.to(device))
        said.append(
            BatchAnswers(
                places,
                output.logits.float().cpu(),
                output.segment_logits.float().cpu(),
                batch.audio_mask.cpu(),
                seen_segments(batch.frame_mask).cpu(),
            )
        )
    return Answers.of(items, said)


def answer(model: MultimodalFER, batch: Batch) -> ModelOutput:
    """The network's output; hidden frames and sound that nobody hears are not encoded."""
    return model.decide(
        frame_vectors(model, batch), batch.frame_mask, audio_steps(model, batch), batch.audio_mask
    )


def frame_vectors(model: MultimodalFER, batch: Batch) -> Tensor:
    """(B, 16, D), what the visual branch makes of the frames; a still fills all places.

    In training all pictures go through it at once, since a batch norm's statistics are theirs.
    """
    if batch.vectors is not None:
        return batch.vectors.expand(-1, FRAMES_PER_CLIP, -1)
    frames = 1 if batch.pictures is None else batch.pictures.shape[1]
    real = batch.frame_mask[:, :frames]  # (B, F)
    vectors = torch.zeros(*real.shape, model.config.vision.width, device=real.device)
    if batch.pictures is not None and batch.rois is not None and real.any():
        pictures, rois = batch.pictures[real], batch.rois[real]
        at_once = len(pictures) if model.training else PICTURES_AT_ONCE
        parts = zip(pictures.split(at_once), rois.split(at_once), strict=True)
        seen = torch.cat([model.encode_frames(*some).vectors for some in parts])
        vectors[real] = seen.to(vectors.dtype)
    return vectors.expand(-1, FRAMES_PER_CLIP, -1)


def audio_steps(model: MultimodalFER, batch: Batch) -> Tensor:
    """(B, 38, D), what the audio branch makes of the sound."""
    if batch.steps is not None:
        return batch.steps
    if batch.spectra is None or not batch.audio_mask.any():
        width = model.config.audio.step_width
        return torch.zeros(len(batch), AUDIO_STEPS, width, device=batch.audio_mask.device)
    return model.encode_audio(batch.spectra, batch.audio_mask)
