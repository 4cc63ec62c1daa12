"""Starting weights for encoders that are trained from scratch."""

from __future__ import annotations

from torch import nn


def initialise(module: nn.Module) -> None:
    """He for convolutions and Xavier for linear layers, in place; biases start at zero.

    The encoders' own starting weights, normal(0, 0.02), suit loading over them. Trained from them,
    FastConformer's subsampling gives an output of standard deviation 1e-6 and never learns, and a
    convolution of LFM2, 192 wide, adds 0.0002 to what flows past it at 1. With these it adds 0.5.

    He et al. 2015, "Delving Deep into Rectifiers"; Glorot and Bengio 2010.
    """
    for part in module.modules():
        if isinstance(part, nn.Conv1d | nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
        elif isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight)
        else:
            continue
        if part.bias is not None:
            nn.init.zeros_(part.bias)
