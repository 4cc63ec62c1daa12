"""Convolutional stems: a picture to patch tokens, spectrograms to steps.

Cutting a picture into patches by one linear map leaves it to the transformer to find edges, which
takes millions of pictures. Convolutions know that neighbouring pixels belong together, and learn
from thousands (Xiao et al. 2021, "Early Convolutions Help Transformers See Better"). A spectrogram
is such a picture too: a voice that is a little higher, or a little faster, is the same one moved.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fer_core.config import AudioConfig
from fer_core.model.inputs import MEL_BINS, PITCH_BINS

DOWNSAMPLING = 16  # times, by a stem's four halvings


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around which the input passes (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _normed_convolution(channels, channels, (1, 1))
        self.second = _convolution(channels, channels)
        norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(norm.weight)  # it starts as the identity (Goyal et al. 2017)
        self.norm: nn.Module = norm  # none once it is folded
        self.activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.activation(x + self.norm(self.second(self.activation(self.first(x)))))
        return out


class ConvStem(nn.Sequential):
    """Four halvings: to D/8, D/4, D/2 and D channels, with residual blocks after the last three.

    Where several processes train, the statistics of its batch norms are those of all only on GPUs;
    on CPUs each process has those of its own share of a batch.
    """

    def __init__(
        self, width: int, blocks: int, inputs: int = 3, last_stride: tuple[int, int] = (2, 2)
    ) -> None:
        stages: list[nn.Module] = [_normed_convolution(inputs, width // 8), nn.ReLU()]
        for channels in (width // 4, width // 2, width):
            stride = last_stride if channels == width else (2, 2)
            stages += [_normed_convolution(channels // 2, channels, stride), nn.ReLU()]
            stages += [ResidualBlock(channels) for _ in range(blocks)]
        super().__init__(*stages)

    def forward(self, pixels: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, D, H/16, W/16), channels last: a sixth faster on CPUs."""
        tokens: Tensor = super().forward(pixels.contiguous(memory_format=torch.channels_last))
        return tokens


class SoundStem(nn.Module):
    """Two spectrograms, a picture of two colours, to steps of 80 ms: all frequencies side by side.

    Takes the place of FastConformer's subsampling, whose depthwise convolutions learn more slowly.
    """

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        # Frequency is halved once more than time: 80 bins to 5, 8 mel frames to a step.
        self.stem = ConvStem(config.stem_width, config.stem_blocks, inputs=2, last_stride=(1, 2))
        self.dropout = nn.Dropout(config.dropout)
        self.linear = nn.Linear(config.stem_width * MEL_BINS // DOWNSAMPLING, config.width)

    def forward(self, spectra: Tensor, mask: None = None) -> Tensor:
        """(B, 301, 160) normalised -> (B, 38, D); FastConformer passes a mask of None."""
        both = torch.stack(spectra.split([MEL_BINS, PITCH_BINS], dim=-1), dim=1)
        picture = self.stem(both)  # (B, 2, 301, 80) -> (B, C, 38, 5)
        steps: Tensor = self.linear(self.dropout(picture.transpose(1, 2).flatten(2)))
        return steps


def _normed_convolution(
    inputs: int, outputs: int, stride: tuple[int, int] = (2, 2)
) -> nn.Sequential:
    return nn.Sequential(_convolution(inputs, outputs, stride), nn.BatchNorm2d(outputs))


def _convolution(inputs: int, outputs: int, stride: tuple[int, int] = (1, 1)) -> nn.Conv2d:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return convolution
