"""For answering, a batch norm is part of the convolution before it."""

from __future__ import annotations

import copy

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from fer_core.model.conv_stem import ResidualBlock
from fer_core.model.multimodal_fer import MultimodalFER


def folded(model: MultimodalFER) -> MultimodalFER:
    """A copy, in evaluation mode, whose stems' norms lie in the weights of their convolutions.

    It answers as ``model`` does, but for rounding, and sooner; it cannot be trained or saved. All
    other weights are those of ``model`` itself, not copies.
    """
    shared = {id(own): own for own in (*model.parameters(), *model.buffers())}
    model = copy.deepcopy(model, shared).eval()
    for part in list(model.modules()):
        match part:
            case ResidualBlock(second=nn.Conv2d() as convolution, norm=nn.BatchNorm2d() as norm):
                part.second = fuse_conv_bn_eval(convolution, norm)
                part.norm = nn.Identity()
            case nn.Sequential() if len(part) == 2:
                first, second = part
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    part[0], part[1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return model
