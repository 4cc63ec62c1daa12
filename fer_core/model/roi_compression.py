"""ROI token compression: a frame's patch tokens to the K best and four that summarise all."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fer_core.patches import GRID, PATCHES, ROI_PATCHES, ROI_SIDE


class RoiTokenCompression(nn.Module):
    """Importance is a learned logit, raised by a learned positive bias where the face is.

    The kept tokens are weighted by the sigmoid of their importance: choosing has no gradient, the
    weights have one, and through them the scorer learns what to choose.
    """

    def __init__(self, width: int, keep: int) -> None:
        super().__init__()
        self.keep = keep
        self.score = nn.Linear(width, 1)
        self.raw_roi_bias = nn.Parameter(torch.ones(1))  # softplus of it is the bias: 1.31

    @property
    def roi_bias(self) -> Tensor:
        return F.softplus(self.raw_roi_bias)

    def forward(self, tokens: Tensor, roi: Tensor | None) -> tuple[Tensor, Tensor]:
        """(N, P, D), (N, P) bool or None -> (N, keep + 4, D), kept places (N, keep) ascending.

        Without an ROI the learned logit alone decides. The global tokens summarise all P tokens.
        """
        importance = self.score(tokens).squeeze(-1)  # (N, P)
        if roi is not None:
            importance = importance + self.roi_bias * roi
        kept = importance.topk(self.keep, dim=1).indices.sort(dim=1).values
        weights = torch.take_along_dim(importance, kept, dim=1).sigmoid().unsqueeze(-1)
        chosen = torch.take_along_dim(tokens, kept.unsqueeze(-1), dim=1) * weights
        variance = tokens.var(dim=1, correction=0)
        summary = torch.stack(
            [
                tokens.mean(dim=1),
                tokens.amax(dim=1),
                tokens.amin(dim=1),
                (variance + 1e-6).sqrt(),  # the root alone has no gradient at zero
            ],
            dim=1,
        )
        return torch.cat([chosen, summary], dim=1), kept  # (N, P, D) -> (N, keep + 4, D)


def central_roi() -> Tensor:
    """(196,) bool: the middle 8x8 patches, where the face lies when it was framed."""
    first, side = (GRID - ROI_SIDE) // 2, ROI_SIDE
    inside = torch.zeros(GRID, GRID, dtype=torch.bool)
    inside[first : first + side, first : first + side] = True
    return inside.flatten()


def patches_of_roi(roi: Tensor, keep: int) -> Tensor:
    """The ``keep`` patches to encode, before anything is known of them but the ROI.

    Patches of the ROI first, then those nearest to its centre, or to the grid's without any ROI;
    of equal ones the upper left first.

    Args:
        roi: (N, 196) bool.

    Returns:
        (N, keep) long, ascending.
    """
    place = torch.arange(PATCHES, device=roi.device)
    grid = torch.stack([place // GRID, place % GRID], dim=-1).float()  # (196, 2)
    member = roi.float()
    count = member.sum(1, keepdim=True)
    middle = (GRID - 1) / 2
    centre = torch.where(count > 0, member @ grid / count.clamp(min=1), middle)  # (N, 2)
    distance = (grid - centre.unsqueeze(1)).square().sum(-1)  # (N, 196), at most 338
    order = 1000 * member - distance - 1e-4 * place
    return order.topk(keep, dim=1).indices.sort(dim=1).values


def block_of_roi(roi: Tensor) -> Tensor:
    """The square of 8x8 patches that holds most of the ROI; of equal ones the most central.

    Args:
        roi: (N, 196) bool.

    Returns:
        (N, 64) long, ascending.
    """
    places = GRID - ROI_SIDE + 1  # 7 ways to lay it along each side
    share = F.avg_pool2d(roi.float().view(-1, 1, GRID, GRID), ROI_SIDE, stride=1)  # (N, 1, 7, 7)
    held = ROI_PATCHES * share.flatten(1)  # (N, 49), patches
    step = torch.arange(places, device=roi.device) - places // 2
    off_centre = step.square().unsqueeze(1) + step.square()  # (7, 7), at most 18
    best = (100 * held - off_centre.flatten()).argmax(1)  # (N,)
    first = best // places * GRID + best % places
    side = torch.arange(ROI_SIDE, device=roi.device)
    within = (side.unsqueeze(1) * GRID + side).flatten()  # (64,)
    return first.unsqueeze(1) + within
