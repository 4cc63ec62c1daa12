from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fer_core.config import FERConfig, RoiConfig, Thresholds
from fer_core.media import CLIP_SAMPLES, Clip, FaceBox, VideoFrame, sample_frames
from fer_core.model.conv_stem import ConvStem
from fer_core.model.roi_compression import central_roi
from fer_core.model.visual_branch import VisualBranch
from fer_core.patches import GRID, PATCH_SIZE
from fer_core.predictor import Predictor
from fer_core.streaming import StreamingPredictor
from fer_core.weights import load_checkpoint, new_model, save_checkpoint


@pytest.fixture
def config(tiny_config: FERConfig) -> FERConfig:
    vision = replace(tiny_config.vision, stem="conv", stem_blocks=1)
    return replace(tiny_config, vision=vision, roi=RoiConfig("early"))


@pytest.fixture
def branch(config: FERConfig) -> VisualBranch:
    torch.manual_seed(0)
    branch = VisualBranch(config.vision, config.roi, pooling_heads=2)
    branch(torch.rand(4, 3, 224, 224) - 0.5, None)  # statistics that are not the initial ones
    return branch.eval()


def square(row: int, column: int, side: int = 8) -> torch.Tensor:
    """(1, 196) bool."""
    inside = torch.zeros(GRID, GRID, dtype=torch.bool)
    inside[row : row + side, column : column + side] = True
    return inside.view(1, -1)


def test_a_stem_gives_a_token_for_each_patch() -> None:
    stem = ConvStem(width=16, blocks=2)
    assert stem(torch.rand(2, 3, 224, 224)).shape == (2, 16, 14, 14)
    assert stem(torch.rand(1, 3, 128, 128)).shape == (1, 16, 8, 8)


def test_a_fresh_stem_tells_pictures_apart() -> None:
    torch.manual_seed(0)
    tokens = ConvStem(width=32, blocks=2)(torch.rand(4, 3, 224, 224) * 2 - 1)
    assert 0.3 < tokens.std() < 3
    assert (tokens[0] - tokens[1]).std() > 0.1


@pytest.mark.parametrize(("row", "column"), [(3, 3), (0, 6), (6, 1)])
@torch.inference_mode()
def test_only_the_pixels_of_the_block_matter(branch: VisualBranch, row: int, column: int) -> None:
    roi = square(row, column)
    pixels = torch.rand(1, 3, 224, 224)
    around = torch.rand(1, 3, 224, 224)
    rows = slice(row * PATCH_SIZE, (row + 8) * PATCH_SIZE)
    columns = slice(column * PATCH_SIZE, (column + 8) * PATCH_SIZE)
    around[..., rows, columns] = pixels[..., rows, columns]
    seen = branch(pixels, roi)
    assert torch.equal(seen.vectors, branch(around, roi).vectors)
    assert torch.equal(seen.kept[0], roi[0].nonzero().squeeze(1))
    corner = pixels.clone()
    corner[..., rows.start : rows.start + 16, columns.start : columns.start + 16] += 1
    assert not torch.equal(seen.vectors, branch(corner, roi).vectors)


@torch.inference_mode()
def test_every_face_has_its_own_block(branch: VisualBranch) -> None:
    rois = torch.cat([square(0, 6), square(3, 3)])
    pixels = torch.rand(2, 3, 224, 224)
    together = branch(pixels, rois)
    for place in range(2):
        alone = branch(pixels[place : place + 1], rois[place : place + 1])
        torch.testing.assert_close(together.vectors[place], alone.vectors[0])
        assert torch.equal(together.kept[place], alone.kept[0])


@torch.inference_mode()
def test_patches_have_the_position_embedding_of_their_place(branch: VisualBranch) -> None:
    pixels = torch.rand(1, 3, 224, 224).expand(2, -1, -1, -1).clone()
    pixels[1] = pixels[0].roll((-3 * PATCH_SIZE, 3 * PATCH_SIZE), dims=(1, 2))
    rois = torch.cat([square(3, 3), square(0, 6)])  # the same pixels at two places
    before, moved = branch(pixels, rois).vectors
    assert not torch.allclose(before, moved)
    places = branch.encoder.embeddings.position_embedding.weight
    places.copy_(places[:1].expand_as(places))
    same, still = branch(pixels, rois).vectors
    torch.testing.assert_close(same, still)


@torch.inference_mode()
def test_without_an_roi_the_middle_is_looked_at(branch: VisualBranch) -> None:
    pixels = torch.rand(1, 3, 224, 224)
    expected = branch(pixels, central_roi().unsqueeze(0)).vectors
    assert torch.equal(branch(pixels, None).vectors, expected)


@torch.inference_mode()
def test_fewer_patches_may_be_kept_than_the_block_has(config: FERConfig) -> None:
    few = VisualBranch(config.vision, RoiConfig("early", keep=20), pooling_heads=2).eval()
    seen = few(torch.rand(1, 3, 224, 224), square(0, 6))
    assert seen.kept.shape == (1, 20)
    assert square(0, 6)[0, seen.kept[0]].all()


def test_gradients_reach_every_weight_of_the_stem(config: FERConfig) -> None:
    torch.manual_seed(0)
    branch = VisualBranch(config.vision, config.roi, pooling_heads=2)
    stem = branch.encoder.embeddings.patch_embedding
    for module in stem.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.ones_(module.weight)  # residual blocks begin as the identity
    branch(torch.rand(2, 3, 224, 224), None).vectors.square().sum().backward()
    for name, parameter in stem.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_after_the_encoder_the_stem_sees_the_whole_picture(config: FERConfig) -> None:
    branch = VisualBranch(config.vision, RoiConfig("after"), pooling_heads=2).eval()
    pixels = torch.rand(1, 3, 224, 224, requires_grad=True)
    branch(pixels, square(3, 3)).vectors.sum().backward()
    assert pixels.grad is not None
    assert pixels.grad[..., :16, :16].any()


def test_a_saved_network_gives_the_same_answer(config: FERConfig, tmp_path: Path) -> None:
    model = new_model(config, seed=3)
    pixels = torch.rand(3, 3, 224, 224)
    model.encode_frames(pixels, None)  # statistics that are not the initial ones
    save_checkpoint(model.eval(), tmp_path)
    with torch.inference_mode():
        expected = model.encode_frames(pixels, None).vectors
        loaded = load_checkpoint(tmp_path)
        assert torch.equal(loaded.encode_frames(pixels, None).vectors, expected)


def test_the_stream_gives_the_answers_of_single_clips(config: FERConfig) -> None:
    model = new_model(replace(config, thresholds=Thresholds(min_speech_s=0.0)), seed=1)
    random = np.random.default_rng(0)
    frames = [
        VideoFrame(random.integers(0, 256, (60, 80, 3), np.uint8), k / 8, k) for k in range(32)
    ]
    sound = (0.1 * random.standard_normal(CLIP_SAMPLES)).astype(np.float32)
    alone, stream = Predictor(model), StreamingPredictor(Predictor(model))
    for hop in range(3):
        shown = sample_frames(frames, hop * 0.375)
        faces = tuple(
            None if frame is None else FaceBox(10 + frame.index % 7, 8, 30, 36, 0.9)
            for frame in shown
        )
        clip = Clip(hop * 0.375, shown, faces, sound, np.ones(CLIP_SAMPLES, bool))
        expected, streamed = alone.predict(clip), stream.predict(clip)
        assert expected is not None
        assert streamed is not None
        np.testing.assert_allclose(streamed.probabilities, expected.probabilities, atol=1e-6)
