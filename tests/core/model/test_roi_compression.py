from __future__ import annotations

import torch

from fer_core.model.roi_compression import (
    RoiTokenCompression,
    block_of_roi,
    central_roi,
    patches_of_roi,
)


@torch.inference_mode()
def test_the_face_is_kept_and_patches_stay_in_order() -> None:
    compression = RoiTokenCompression(width=8, keep=64)
    compression.raw_roi_bias.fill_(50.0)
    roi = central_roi().expand(2, 196)
    compressed, kept = compression(torch.randn(2, 196, 8), roi)
    assert compressed.shape == (2, 68, 8)
    assert torch.equal(kept[1], central_roi().nonzero().squeeze(1))


@torch.inference_mode()
def test_the_bias_raises_the_face_however_it_is_learned() -> None:
    compression = RoiTokenCompression(width=8, keep=64)
    compression.raw_roi_bias.fill_(-4.0)
    assert compression.roi_bias > 0


@torch.inference_mode()
def test_without_an_roi_the_learned_logit_alone_decides() -> None:
    compression = RoiTokenCompression(width=4, keep=64)
    compression.score.weight.copy_(torch.tensor([[1.0, 0, 0, 0]]))
    tokens = torch.zeros(1, 196, 4)
    tokens[0, 100:164, 0] = 1.0
    _, kept = compression(tokens, None)
    assert kept[0].tolist() == list(range(100, 164))


@torch.inference_mode()
def test_kept_tokens_are_weighted_and_the_global_ones_see_all() -> None:
    compression = RoiTokenCompression(width=4, keep=3)
    tokens = torch.randn(1, 196, 4)
    compressed, kept = compression(tokens, None)
    weight = compression.score(tokens[0, kept[0, 0]]).sigmoid()
    torch.testing.assert_close(compressed[0, 0], tokens[0, kept[0, 0]] * weight)
    mean, maximum, minimum, deviation = compressed[0, 3:]
    torch.testing.assert_close(mean, tokens[0].mean(0))
    assert torch.equal(maximum, tokens[0].amax(0))
    assert torch.equal(minimum, tokens[0].amin(0))
    torch.testing.assert_close(deviation, tokens[0].std(0, correction=0), atol=1e-4, rtol=0)


def test_equal_tokens_have_a_gradient() -> None:
    compression = RoiTokenCompression(width=4, keep=3)
    tokens = torch.ones(1, 196, 4, requires_grad=True)
    compression(tokens, None)[0].sum().backward()
    assert tokens.grad is not None
    assert tokens.grad.isfinite().all()


def test_a_small_face_is_filled_up_with_what_lies_around_it() -> None:
    roi = torch.zeros(1, 196, dtype=torch.bool)
    corner = torch.zeros(14, 14, dtype=torch.bool)
    corner[1:4, 1:4] = True
    roi[0] = corner.flatten()
    kept = torch.zeros(196, dtype=torch.bool)
    kept[patches_of_roi(roi, 64)[0]] = True
    assert kept.sum() == 64
    assert kept[corner.flatten()].all()
    assert not kept.view(14, 14)[10:].any()


def test_of_a_large_face_its_middle_is_kept() -> None:
    everywhere = torch.ones(1, 196, dtype=torch.bool)
    kept = torch.zeros(196, dtype=torch.bool)
    kept[patches_of_roi(everywhere, 64)[0]] = True
    assert kept.sum() == 64
    assert kept.view(14, 14)[4:10, 4:10].all()


def test_the_central_roi_is_eight_by_eight_and_early_keeps_exactly_it() -> None:
    roi = central_roi()
    assert roi.sum() == 64
    assert torch.equal(roi, roi.flip(0))
    assert torch.equal(patches_of_roi(roi.unsqueeze(0), 64)[0], roi.nonzero().squeeze(1))


def test_without_any_roi_the_middle_of_the_grid_is_kept_the_upper_left_first() -> None:
    nothing = torch.zeros(2, 196, dtype=torch.bool)
    middle = [6 * 14 + 6, 6 * 14 + 7, 7 * 14 + 6, 7 * 14 + 7]
    assert patches_of_roi(nothing, 4).tolist() == [middle] * 2
    assert patches_of_roi(nothing, 1).tolist() == [middle[:1]] * 2


def test_all_of_the_roi_is_kept_however_far_a_part_of_it_lies() -> None:
    roi = grid(slice(0, 6), slice(0, 10)) | grid(slice(13, 14), slice(13, 14))
    kept = patches_of_roi(roi, 64)[0]
    assert set(roi[0].nonzero().squeeze(1).tolist()) < set(kept.tolist())


def grid(rows: slice, columns: slice) -> torch.Tensor:
    """(1, 196) bool, True in the rectangle."""
    inside = torch.zeros(14, 14, dtype=torch.bool)
    inside[rows, columns] = True
    return inside.view(1, -1)


def test_the_block_of_a_square_roi_is_the_roi_wherever_it_lies() -> None:
    for row in range(7):
        for column in range(7):
            roi = grid(slice(row, row + 8), slice(column, column + 8))
            assert torch.equal(block_of_roi(roi)[0], roi[0].nonzero().squeeze(1))


def test_one_patch_more_outweighs_the_longest_way_from_the_centre() -> None:
    corner = grid(slice(0, 1), slice(0, 1))
    assert block_of_roi(corner)[0, 0] == 0
    middle = grid(slice(3, 8), slice(3, 8))  # held by both blocks
    assert block_of_roi(corner | middle)[0, 0] == 0


def test_of_blocks_that_hold_the_same_the_most_central_is_taken() -> None:
    nothing = torch.zeros(1, 196, dtype=torch.bool)
    everything = ~nothing
    for roi in (nothing, everything, grid(slice(6, 8), slice(6, 8))):
        assert torch.equal(block_of_roi(roi)[0], central_roi().nonzero().squeeze(1))
    tall = grid(slice(0, 14), slice(0, 2))  # the height does not matter: it stays in the middle
    first = block_of_roi(tall)[0, 0]
    assert (first // 14, first % 14) == (3, 0)
