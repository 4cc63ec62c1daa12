from __future__ import annotations

import dataclasses
import itertools
import typing
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from fer_core.config import FERConfig, FusionKind, Pooling, RoiPlace
from fer_core.model.answer import CLIP_SHARE, PRIOR_SHARE, or_at_rest
from fer_core.model.inputs import ModelInputs, ModelOutput
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.model.roi_compression import central_roi
from fer_core.model.segment_pooling import seen_segments
from fer_core.weights import new_model

MakeInputs = Callable[..., ModelInputs]
KINDS, POOLINGS, PLACES = map(typing.get_args, (FusionKind, Pooling, RoiPlace))


def variant(
    config: FERConfig,
    kind: FusionKind = "lfm2",
    pooling: Pooling = "attention",
    place: RoiPlace = "after",
) -> FERConfig:
    return dataclasses.replace(
        config,
        fusion=dataclasses.replace(config.fusion, kind=kind),
        classifier=dataclasses.replace(config.classifier, pooling=pooling),
        roi=dataclasses.replace(config.roi, place=place),
    )


def outputs(output: ModelOutput) -> dict[str, Tensor]:
    return {f.name: getattr(output, f.name) for f in dataclasses.fields(output)}


@pytest.fixture
def partly_hidden(make_inputs: MakeInputs) -> ModelInputs:
    """Frames 0 to 2 and 7, and segments 3 and 7 of the sound, are hidden."""
    inputs = make_inputs()
    inputs.frame_mask[:, [0, 1, 2, 7]] = False
    inputs.audio_mask[:, [3, 7]] = False
    return inputs


@torch.inference_mode()
@pytest.mark.parametrize(
    ("kind", "pooling", "place"),
    # Every pair of two choices once, and not all 48 triples; always in one order.
    sorted({
        *((kind, pooling, PLACES[i % 3]) for i, (kind, pooling) in enumerate(
            itertools.product(KINDS, POOLINGS))),
        *(("lfm2", "attention", place) for place in PLACES),
    }),
)  # fmt: skip
def test_every_kind_answers_and_its_segment_weights_sum_to_one(
    corrected: Callable[..., MultimodalFER],
    tiny_config: FERConfig,
    partly_hidden: ModelInputs,
    kind: FusionKind,
    pooling: Pooling,
    place: RoiPlace,
) -> None:
    model = corrected(new_model(variant(tiny_config, kind, pooling, place), seed=0)).eval()
    output = model(partly_hidden)
    assert output.logits.shape == (2, 8)
    assert output.segment_logits.shape == (2, 8, 8)
    assert output.audio_segments.shape == output.video_segments.shape == (2, 8, 16)
    torch.testing.assert_close(output.segment_weights.sum(1), torch.ones(2))
    assert all(tensor.isfinite().all() for tensor in outputs(output).values())


@torch.inference_mode()
@pytest.mark.parametrize("rubbish", [7.5, torch.nan, torch.inf])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_mask_hides_changes_no_bit_of_any_output(
    corrected: Callable[..., MultimodalFER],
    tiny_config: FERConfig,
    partly_hidden: ModelInputs,
    kind: FusionKind,
    rubbish: float,
) -> None:
    model = corrected(new_model(variant(tiny_config, kind), seed=0)).eval()
    before = outputs(model(partly_hidden))
    assert partly_hidden.roi is not None
    roi = torch.where(partly_hidden.frame_mask.unsqueeze(-1), partly_hidden.roi, False)
    pixels, mel = partly_hidden.pixels.clone(), partly_hidden.spectra.clone()
    pixels[~partly_hidden.frame_mask] = rubbish
    mel[:, 113:150] = rubbish  # segment 3 is 1.125 s to 1.5 s
    mel[:, 263:] = rubbish  # segment 7 from 2.625 s on
    after = outputs(model(dataclasses.replace(partly_hidden, pixels=pixels, spectra=mel, roi=roi)))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_what_a_mask_hides_is_no_lesson_either(
    corrected: Callable[..., MultimodalFER], tiny_config: FERConfig, partly_hidden: ModelInputs
) -> None:
    """Zero times NaN is NaN: what is hidden late in the network spoils its gradient."""
    model = corrected(new_model(tiny_config, seed=0)).train()
    pixels, spectra = partly_hidden.pixels.clone(), partly_hidden.spectra.clone()
    pixels[~partly_hidden.frame_mask] = torch.nan
    spectra[:, 113:150] = torch.nan  # segment 3
    inputs = dataclasses.replace(partly_hidden, pixels=pixels, spectra=spectra)
    cross_entropy(model(inputs).logits, torch.tensor([2, 4])).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all(), name


@torch.inference_mode()
def test_a_fresh_fusion_adds_nothing_to_what_voice_and_face_say(
    tiny_config: FERConfig, partly_hidden: ModelInputs
) -> None:
    model = new_model(tiny_config, seed=0).eval()
    model.face_prior.copy_(torch.linspace(-3, 0, 8))
    output = model(partly_hidden)
    heard, seen = partly_hidden.audio_mask, seen_segments(partly_hidden.frame_mask)
    for clip in range(2):
        voice = output.audio_logits[clip][heard[clip]].mean(0)
        face = output.video_logits[clip][seen[clip]].mean(0)
        both = or_at_rest(voice) + or_at_rest(face - PRIOR_SHARE * model.face_prior)
        torch.testing.assert_close(output.logits[clip], both)


@torch.inference_mode()
def test_each_branch_is_told_apart_in_what_comes_out(
    tiny_config: FERConfig, make_inputs: MakeInputs
) -> None:
    model, inputs = new_model(tiny_config, seed=0).eval(), make_inputs(clips=1)
    before = outputs(model(inputs))
    for name, values, other in (
        ("spectra", inputs.spectra + 1, "video"),
        ("pixels", -inputs.pixels, "audio"),
    ):
        after = outputs(model(dataclasses.replace(inputs, **{name: values})))
        for part in ("segments", "logits"):
            changed = {
                branch
                for branch in ("audio", "video")
                if not torch.equal(before[f"{branch}_{part}"], after[f"{branch}_{part}"])
            }
            assert changed == {"audio", "video"} - {other}


@torch.inference_mode()
def test_what_no_mask_hides_does_change_the_answer(
    corrected: Callable[..., MultimodalFER], tiny_config: FERConfig, partly_hidden: ModelInputs
) -> None:
    model = corrected(new_model(tiny_config, seed=0)).eval()
    before = model(partly_hidden).logits
    for name, place in (("pixels", (slice(None), 3)), ("spectra", (slice(None), slice(100, 112)))):
        changed = getattr(partly_hidden, name).clone()
        changed[place] = 1.0
        after = model(dataclasses.replace(partly_hidden, **{name: changed})).logits
        assert (after - before).abs().max() > 1e-6, name


@torch.inference_mode()
@pytest.mark.parametrize("place", PLACES)
def test_a_clip_gives_the_same_answer_alone_and_in_a_batch(
    corrected: Callable[..., MultimodalFER],
    tiny_config: FERConfig,
    make_inputs: MakeInputs,
    place: RoiPlace,
) -> None:
    model = corrected(new_model(variant(tiny_config, place=place), seed=0)).eval()
    both = make_inputs(clips=2)
    alone = ModelInputs(
        **{f.name: getattr(both, f.name)[1:] for f in dataclasses.fields(ModelInputs)}
    )
    together, single = outputs(model(both)), outputs(model(alone))
    for name, tensor in single.items():
        torch.testing.assert_close(together[name][1:], tensor, atol=1e-5, rtol=0, msg=name)


@torch.inference_mode()
@pytest.mark.parametrize("missing", ["face", "voice"])
def test_one_modality_alone_is_answered_as_its_branch_learnt_it(
    corrected: Callable[..., MultimodalFER],
    tiny_config: FERConfig,
    partly_hidden: ModelInputs,
    missing: str,
) -> None:
    model = corrected(new_model(tiny_config, seed=0)).eval()
    both = model(partly_hidden)
    mask = partly_hidden.frame_mask if missing == "face" else partly_hidden.audio_mask
    mask[0] = False  # of the first clip alone
    output = model(partly_hidden)
    if missing == "face":
        says, present = output.audio_logits, partly_hidden.audio_mask
    else:
        says, present = output.video_logits, seen_segments(partly_hidden.frame_mask)
    clip = says[0][present[0]].mean(0)
    torch.testing.assert_close(output.logits[0], clip)
    steadied = says[0].lerp(clip, CLIP_SHARE)  # by what is said around it
    torch.testing.assert_close(output.segment_logits[0], steadied * present[0].unsqueeze(-1))
    torch.testing.assert_close(output.logits[1], both.logits[1])


@torch.inference_mode()
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_audio_alone_video_alone_and_nothing_at_all_give_finite_answers(
    corrected: Callable[..., MultimodalFER],
    tiny_config: FERConfig,
    make_inputs: MakeInputs,
    kind: FusionKind,
    pooling: Pooling,
) -> None:
    model = corrected(new_model(variant(tiny_config, kind, pooling), seed=0)).eval()
    inputs = make_inputs(clips=3)
    inputs.frame_mask[0], inputs.audio_mask[1] = False, False
    inputs.frame_mask[2], inputs.audio_mask[2] = False, False
    output = model(inputs)
    assert all(tensor.isfinite().all() for tensor in outputs(output).values())
    torch.testing.assert_close(output.segment_weights.sum(1), torch.ones(3))


@torch.inference_mode()
def test_absent_segments_have_no_share_in_the_answer(
    corrected: Callable[..., MultimodalFER], tiny_config: FERConfig, make_inputs: MakeInputs
) -> None:
    inputs = make_inputs(clips=1)
    inputs.audio_mask[:, :4], inputs.frame_mask[:, :6] = False, False  # segment 3 is still seen
    for pooling in POOLINGS:
        weights = (
            corrected(new_model(variant(tiny_config, pooling=pooling), 0))
            .eval()(inputs)
            .segment_weights
        )
        assert weights[0, :3].eq(0).all(), pooling
        assert weights[0, 3:].sum() == pytest.approx(1), pooling


@torch.inference_mode()
def test_streaming_calls_add_up_to_forward(
    corrected: Callable[..., MultimodalFER], tiny_config: FERConfig, make_inputs: MakeInputs
) -> None:
    model = corrected(new_model(tiny_config, seed=0)).eval()
    inputs = make_inputs(clips=1)
    assert inputs.roi is not None
    pairs = [slice(i, i + 2) for i in range(0, 16, 2)]  # as frames arrive, two a hop
    vectors = [model.encode_frames(inputs.pixels[0, p], inputs.roi[0, p]).vectors for p in pairs]
    steps = model.encode_audio(inputs.spectra, inputs.audio_mask)
    streamed = model.decide(
        torch.cat(vectors).unsqueeze(0), inputs.frame_mask, steps, inputs.audio_mask
    )
    torch.testing.assert_close(streamed.logits, model(inputs).logits, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_hidden_frame_vectors_do_not_reach_the_decision(
    corrected: Callable[..., MultimodalFER], tiny_config: FERConfig
) -> None:
    model = corrected(new_model(tiny_config, seed=0)).eval()
    mask = torch.arange(16).unsqueeze(0) >= 3
    steps, heard = torch.randn(1, 38, 16), torch.ones(1, 8, dtype=torch.bool)
    vectors = torch.randn(1, 16, 16)
    spoiled = torch.where(mask.unsqueeze(-1), vectors, torch.nan)
    one, other = (model.decide(v, mask, steps, heard).logits for v in (vectors, spoiled))
    assert torch.equal(one, other)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_learns(
    corrected: Callable[..., MultimodalFER],
    tiny_config: FERConfig,
    partly_hidden: ModelInputs,
    kind: FusionKind,
    place: RoiPlace,
) -> None:
    # Nothing at all in segment 0, so that late fusion uses both absent vectors too.
    partly_hidden.audio_mask[:, 0] = False
    model = corrected(new_model(variant(tiny_config, kind, place=place), seed=0)).train()
    output = model(partly_hidden)
    target = torch.tensor([2, 4])
    loss = cross_entropy(output.logits, target)
    (loss + output.segment_logits.square().mean()).backward()
    asleep = [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.any())
    ]
    assert asleep == []


@pytest.mark.parametrize("place", ["after", "early"])
def test_two_clips_can_be_learned_by_heart(
    corrected: Callable[..., MultimodalFER],
    tiny_config: FERConfig,
    make_inputs: MakeInputs,
    place: RoiPlace,
) -> None:
    model = corrected(new_model(variant(tiny_config, place=place), seed=0)).train()
    inputs, target = make_inputs(), torch.tensor([2, 4])
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(50):
        loss = cross_entropy(model(inputs).logits, target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.eval()
    assert cross_entropy(model(inputs).logits, target) < 0.1


def test_all_places_share_one_set_of_weights(tiny_config: FERConfig) -> None:
    keys = {
        place: {
            name: tensor.shape
            for name, tensor in new_model(variant(tiny_config, place=place), 0).state_dict().items()
        }
        for place in PLACES
    }
    assert keys["after"] == keys["early"] == keys["none"]


@torch.inference_mode()
def test_early_without_an_roi_keeps_the_middle(
    corrected: Callable[..., MultimodalFER], tiny_config: FERConfig, make_inputs: MakeInputs
) -> None:
    model = corrected(new_model(variant(tiny_config, place="early"), seed=0)).eval()
    inputs = make_inputs(clips=1)
    framed = model(inputs)
    unknown = model(dataclasses.replace(inputs, roi=None))
    assert torch.equal(framed.logits, unknown.logits)
    kept = model.encode_frames(inputs.pixels[0], None).kept
    assert torch.equal(kept[0], central_roi().nonzero().squeeze(1))


def test_frozen_encoders_stay_as_they_are(tiny_config: FERConfig) -> None:
    config = dataclasses.replace(
        tiny_config,
        audio=dataclasses.replace(tiny_config.audio, frozen=True),
        vision=dataclasses.replace(tiny_config.vision, frozen=True),
        fusion=dataclasses.replace(tiny_config.fusion, frozen=True),
    )
    model = MultimodalFER(config).train()
    for encoder in (
        model.audio_branch.encoders[0],
        model.visual_branch.encoder,
        model.fusion.joining.lfm2,
    ):
        assert not encoder.training
        assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert model.classifier.training
    assert model.fusion.project.training
