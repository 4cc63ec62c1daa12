"""The network: listen, look, keep the face, join, decide."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers.utils import logging as transformers_logging

from fer_core.config import FERConfig, head_width
from fer_core.labels import CLASSES
from fer_core.media import SEGMENTS
from fer_core.model.answer import combine
from fer_core.model.audio_branch import AudioBranch
from fer_core.model.branch_head import BranchHead
from fer_core.model.classifier import Classifier
from fer_core.model.fusion import Fusion
from fer_core.model.inputs import ModelInputs, ModelOutput
from fer_core.model.segment_pooling import (
    SegmentAttentionPooling,
    SegmentMeanPooling,
    seen_segments,
)
from fer_core.model.temporal_encoder import TemporalEncoder
from fer_core.model.visual_branch import FrameFeatures, VisualBranch

FUNCTIONALS_SHARE = 0.6  # in what a voice says; its encoders have the rest

# It advises compiling CUDA kernels and lists every layer cut from LFM2; what matters is raised.
transformers_logging.set_verbosity_error()


class MultimodalFER(nn.Module):
    """Emotions of a clip and of its eight segments, from a face, a voice, or both.

    What a mask hides never reaches an output, NaN included. The weights are fresh ones; see
    ``fer_core.weights`` for saved and ``fer_core.model.upstream`` for pretrained ones.
    """

    face_prior: Tensor  # (C,), logarithms of how often each emotion was seen in training

    def __init__(self, config: FERConfig) -> None:
        super().__init__()
        self.config = config
        audio, seen = config.audio, config.vision.width
        self.audio_branch = AudioBranch(audio)
        audio_pooling_heads = audio.width // head_width(audio, audio.width)
        frame_pooling_heads = seen // head_width(config.temporal, seen)
        self.audio_pooling = SegmentAttentionPooling(
            audio.width, audio_pooling_heads, len(audio.encoders)
        )
        self.visual_branch = VisualBranch(config.vision, config.roi, frame_pooling_heads)
        self.temporal_encoder = TemporalEncoder(seen, config.temporal)
        self.video_pooling = SegmentMeanPooling(seen)
        self.audio_head = BranchHead(audio.width, config.classifier.dropout, len(audio.encoders))
        self.video_head = BranchHead(seen, config.classifier.dropout)
        self.fusion = Fusion(audio.encoded_width, seen, config.fusion)
        self.classifier = Classifier(config.fusion.out, config.classifier)
        self.register_buffer("face_prior", torch.zeros(CLASSES))

    def forward(self, inputs: ModelInputs) -> ModelOutput:
        shape = inputs.frame_mask.shape  # (B, T)
        real = inputs.frame_mask[..., None, None, None]
        pixels = torch.where(real, inputs.pixels, 0.0).flatten(0, 1)  # (B, T, ...) -> (B*T, ...)
        roi = None if inputs.roi is None else inputs.roi.flatten(0, 1)

        audio_steps = self.encode_audio(inputs.spectra, inputs.audio_mask)
        frames = self.encode_frames(pixels, roi)
        vectors = frames.vectors.unflatten(0, shape)  # (B*T, D) -> (B, T, D)
        return self.decide(vectors, inputs.frame_mask, audio_steps, inputs.audio_mask)

    def encode_audio(self, spectra: Tensor, audio_mask: Tensor) -> Tensor:
        """Listen: (B, 301, 160), (B, 8) -> steps (B, 38, Da)."""
        steps: Tensor = self.audio_branch(spectra, audio_mask)
        return steps

    def encode_frames(self, pixels: Tensor, roi: Tensor | None) -> FrameFeatures:
        """Look, and keep the face: (N, 3, 224, 224), (N, 196) or None -> (N, Dv), (N, K)."""
        features: FrameFeatures = self.visual_branch(pixels, roi)
        return features

    def decide(
        self, frame_vectors: Tensor, frame_mask: Tensor, audio_steps: Tensor, audio_mask: Tensor
    ) -> ModelOutput:
        """Join, and decide: (B, T, Dv), (B, T), (B, 38, Da), (B, 8) -> the answers."""
        video = self.video_segments(frame_vectors, frame_mask)
        return self.join(video, seen_segments(frame_mask), audio_steps, audio_mask)

    def join(
        self, video: Tensor, seen: Tensor, audio_steps: Tensor, audio_mask: Tensor
    ) -> ModelOutput:
        """The part of :meth:`decide` that needs both: segments (B, 8, Dv) in place of frames."""
        encoded, by_functionals = self.parts_of_steps(audio_steps)
        audio = self.audio_pooling(encoded, audio_mask)  # (B, 8, Da)
        heard_says, seen_says = self.audio_head(audio), self.video_head(video)  # (B, 8, C) each
        if by_functionals is not None:
            # How sure functionals may be was found on strangers (``fit_functionals``); how sure
            # encoders may be was not.
            say = by_functionals.unsqueeze(1)  # (B, 1, C)
            heard_says = (1 - FUNCTIONALS_SHARE) * heard_says + FUNCTIONALS_SHARE * say
        fused = self.fusion(audio, video, audio_mask, seen)  # (B, 8, 512)
        logits, segment_logits, weights = self.classifier(fused, audio_mask | seen)
        logits, segment_logits = combine(
            logits, segment_logits, heard_says, seen_says, audio_mask, seen, self.face_prior
        )
        return ModelOutput(logits, segment_logits, weights, audio, video, heard_says, seen_says)

    def parts_of_steps(self, audio_steps: Tensor) -> tuple[Tensor, Tensor | None]:
        """(B, 38, Da) -> what the encoders made of it, and (B, C) what the functionals say."""
        encoded = audio_steps[..., : self.config.audio.encoded_width]
        if not self.config.audio.functionals:
            return encoded, None
        return encoded, audio_steps[:, 0, self.config.audio.encoded_width :]

    def video_segments(self, frame_vectors: Tensor, frame_mask: Tensor) -> Tensor:
        """What is seen in each segment: (B, T, Dv), (B, T) -> (B, 8, Dv)."""
        frame_vectors = torch.where(frame_mask.unsqueeze(-1), frame_vectors, 0.0)
        frames = self.temporal_encoder(frame_vectors, frame_mask)  # (B, T, Dv)
        segments: Tensor = self.video_pooling(frames, frame_mask)
        return segments

    def unseen_segments(self, clips: int) -> Tensor:
        """The same of ``clips`` in which nobody is seen: (B, 8, Dv)."""
        return self.video_pooling.absent.expand(clips, SEGMENTS, -1)
