"""The audio branch: spectra (B, 301, 160) to steps (B, 38, Da), one every 80 ms."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # synchronised over GPUs it is another class
from transformers.models.parakeet.configuration_parakeet import ParakeetEncoderConfig
from transformers.models.parakeet.modeling_parakeet import ParakeetEncoder

from fer_core.config import AudioConfig, AudioEncoder, head_width
from fer_core.labels import CLASSES
from fer_core.model.conv_stem import SoundStem
from fer_core.model.discriminant import LinearDiscriminant
from fer_core.model.functionals import FUNCTIONALS, Functionals
from fer_core.model.initialisation import initialise
from fer_core.model.inputs import (
    AUDIO_SUBSAMPLING,
    LOG_FLOOR,
    MEL_BINS,
    MEL_FRAMES,
    MEL_HOP_MS,
    SPECTRA_BINS,
    segment_of,
)

# Log-mel of RAVDESS speech, all bins together: -7.2 and 3.9.
SPEECH_MEAN = -7.0
SPEECH_STD = 4.0
NORM_GROUPS = 8


class AudioBranch(nn.Module):
    """FastConformer (Rekesh et al. 2023), or convolutions alone, on normalised spectra.

    The mean and standard deviation of each bin are constants that lie in the weights. They are
    never taken from the clip: that would amplify silence, and the same sound would look different
    in two overlapping clips.

    With several encoders a step is what each has heard, side by side; beside it stands in every
    step what the functionals of the clip as a whole say of the emotions, where there are any.
    """

    spectra_mean: Tensor  # (160,)
    spectra_std: Tensor  # (160,)

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        self.frozen = config.frozen
        self.register_buffer("spectra_mean", torch.full((SPECTRA_BINS,), SPEECH_MEAN))
        self.register_buffer("spectra_std", torch.full((SPECTRA_BINS,), SPEECH_STD))
        # FastConformer's own subsampling knows log-mel alone.
        self._bins = [
            MEL_BINS if kind == "fastconformer" else SPECTRA_BINS for kind in config.encoders
        ]
        self.encoders = nn.ModuleList(_encoder(config, kind) for kind in config.encoders)
        self.functionals = Functionals() if config.functionals else None
        self.discriminant = LinearDiscriminant(FUNCTIONALS) if config.functionals else None
        for norm in self._pretrained_norms():
            norm.requires_grad_(False)
        if config.frozen:
            self.encoders.requires_grad_(False)

    def forward(self, spectra: Tensor, audio_mask: Tensor) -> Tensor:
        """(B, 301, 160) natural log, (B, 8) -> (B, 38, Da).

        The mel frames of hidden segments are heard as digital silence; zeros after normalisation
        would be sound of average loudness. The encoder is given no mask of its own, because its
        subsampling takes padding for content.
        """
        spectra, heard = _heard(spectra, audio_mask)
        normalised = (spectra - self.spectra_mean) / self.spectra_std
        steps = [  # (B, 301, 160) or (B, 301, 80) -> (B, 38, D) each
            encoder(normalised[..., :bins]).last_hidden_state
            for encoder, bins in zip(self.encoders, self._bins, strict=True)
        ]
        if self.functionals is not None and self.discriminant is not None:
            if self.training:  # nobody listens to them
                says = spectra.new_zeros(len(spectra), CLASSES)
            else:
                says = self.discriminant(self.functionals(spectra, heard))  # (B, C)
            steps.append(says.unsqueeze(1).expand(-1, steps[0].shape[1], -1))
        return torch.cat(steps, dim=-1)

    def whole_clip(self, spectra: Tensor, audio_mask: Tensor) -> Tensor:
        """The functionals of clips, as the discriminant is given them: (B, 4368).

        Raises:
            ValueError: the network has none.
        """
        if self.functionals is None:
            raise ValueError("the network has no functionals")
        functionals: Tensor = self.functionals(*_heard(spectra, audio_mask))
        return functionals

    def train(self, mode: bool = True) -> Self:
        """As ``nn.Module.train``, but what is frozen stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.encoders.eval()
        for norm in self._pretrained_norms():
            norm.eval()
        return self

    def _pretrained_norms(self) -> list[_BatchNorm]:
        layers = [encoder.get_submodule("layers") for encoder in self.encoders]
        return [part for own in layers for part in own.modules() if isinstance(part, _BatchNorm)]


def _heard(spectra: Tensor, audio_mask: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 301, 160) with silence where (B, 8) hides it, and (B, 301) which frames are heard."""
    frame = torch.arange(MEL_FRAMES, device=spectra.device)
    heard = audio_mask[:, segment_of(frame * MEL_HOP_MS)]
    return torch.where(heard.unsqueeze(-1), spectra, LOG_FLOOR), heard


def _encoder(config: AudioConfig, kind: AudioEncoder) -> ParakeetEncoder:
    if kind == "convolutional":
        config = replace(config, layers=0)
    encoder = ParakeetEncoder(encoder_config(config))
    if not config.batch_norm:
        _use_group_norm(encoder)
    if kind != "fastconformer":
        encoder.subsampling = SoundStem(config)
    initialise(encoder)
    return encoder


def encoder_config(config: AudioConfig) -> ParakeetEncoderConfig:
    """``config`` in the words of transformers; layers are never dropped."""
    return ParakeetEncoderConfig(
        hidden_size=config.width,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        head_dim=head_width(config, config.width),
        intermediate_size=config.feed_forward or 4 * config.width,
        conv_kernel_size=config.conv_kernel,
        subsampling_factor=AUDIO_SUBSAMPLING,
        subsampling_conv_channels=config.subsampling_channels,
        num_mel_bins=MEL_BINS,
        scale_input=config.scale_input,
        dropout=config.dropout,
        activation_dropout=config.dropout,
        attention_dropout=config.dropout,
        layerdrop=0.0,
    )


def _use_group_norm(encoder: ParakeetEncoder) -> None:
    """Statistics of a batch mix clips and need large batches; a clip's own do not."""
    for layer in encoder.layers:
        channels = layer.conv.norm.num_features
        layer.conv.norm = nn.GroupNorm(NORM_GROUPS, channels)
