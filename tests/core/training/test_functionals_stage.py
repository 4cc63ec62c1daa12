from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fer_core.config import FERConfig
from fer_core.data.clips import Modalities
from fer_core.data.item import Item
from fer_core.data.store import MediaStore
from fer_core.errors import UserError
from fer_core.evaluation.evaluate import evaluate
from fer_core.evaluation.scores import score
from fer_core.model.audio_branch import AudioBranch
from fer_core.model.multimodal_fer import FUNCTIONALS_SHARE, MultimodalFER
from fer_core.training.config import RunConfig, TrainingConfig
from fer_core.training.functionals_stage import having_functionals
from fer_core.training.machine import Machine
from fer_core.training.run import RunData, train
from fer_core.weights import load_checkpoint, new_model, save_checkpoint

MakeItems = Callable[..., list[Item]]
Go = Callable[..., tuple[MultimodalFER, list[dict[str, Any]]]]


@pytest.fixture
def hearing(network: FERConfig) -> FERConfig:
    """The network, which also judges by functionals."""
    return replace(network, audio=replace(network.audio, functionals=True))


@pytest.fixture
def several(make_voices: MakeItems) -> RunData:
    """Five speakers who each say all emotions, every one at its own pitch."""
    return RunData(tuple(item for name in "abcde" for item in make_voices(8, name)), (), ())


@pytest.fixture
def go(hearing: FERConfig, plain: TrainingConfig, tmp_path: Path, quiet: Machine) -> Go:
    def go(data: RunData, **changes: Any) -> tuple[MultimodalFER, list[dict[str, Any]]]:
        given = {
            "config": RunConfig(hearing, plain),
            "stages": ("functionals",),
            "folder": tmp_path / "run",
            "cache": tmp_path / "cache",
            "machine": quiet,
            **changes,
        }
        return train(data=data, **given)

    return go


def test_voices_are_told_apart_though_no_encoder_has_learnt_anything(
    go: Go, several: RunData, make_voices: MakeItems, tmp_path: Path
) -> None:
    model, history = go(several)
    strangers = make_voices(8, "x")
    store = MediaStore(tmp_path / "cache" / "media", model.config.vision)
    assert score(evaluate(model, strangers, store, Modalities(video=False))).uar > 0.8
    (row,) = history
    assert row["stage"] == "functionals"
    assert row["loss"] < 1.0  # of speakers who did not teach what judged them; log 8 is 2.1
    assert json.loads((tmp_path / "run/training_history.json").read_text()) == history


def test_nothing_else_is_changed(go: Go, several: RunData, hearing: FERConfig) -> None:
    model, _ = go(several)
    fresh = new_model(hearing, 0).state_dict()
    for name, values in model.state_dict().items():
        changed = not torch.equal(values, fresh[name])
        assert changed == name.startswith("audio_branch.discriminant."), name


def test_the_same_voices_give_the_same_functionals_and_a_finished_stage_is_not_done_again(
    go: Go, several: RunData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, history = go(several)
    other, _ = go(several, folder=tmp_path / "other")
    for name, values in first.state_dict().items():
        assert torch.equal(values, other.state_dict()[name]), name
    monkeypatch.setattr("fer_core.training.run.fit_functionals", None)
    again, kept = go(several)
    assert kept == history
    assert again.state_dict().keys() == first.state_dict().keys()


def test_a_model_that_had_no_functionals_can_be_given_some(
    go: Go, several: RunData, network: FERConfig, tmp_path: Path
) -> None:
    before = new_model(network, 3)
    save_checkpoint(before, tmp_path / "before")
    model, _ = go(several, start_from=tmp_path / "before")
    assert model.config.audio.functionals
    for name, values in before.state_dict().items():
        assert torch.equal(values, model.state_dict()[name]), name
    assert load_checkpoint(tmp_path / "run/model").config == model.config


@torch.inference_mode()
def test_functionals_that_are_not_fitted_change_no_answer_but_how_sure_it_is(
    network: FERConfig, make_inputs: Callable[..., Any]
) -> None:
    before = new_model(network, 3).eval()
    inputs = replace(make_inputs(), frame_mask=torch.zeros(2, 16, dtype=torch.bool))
    usual, having = before(inputs).logits, having_functionals(before)(inputs).logits
    assert torch.allclose(having, (1 - FUNCTIONALS_SHARE) * usual, atol=1e-6)


def test_what_functionals_know_by_heart_is_not_heard_while_encoders_learn(
    go: Go, several: RunData, make_inputs: Callable[..., Any]
) -> None:
    model, _ = go(several)
    inputs = make_inputs()
    for training in (False, True):
        model.train(training)
        steps = model.encode_audio(inputs.spectra, inputs.audio_mask)
        _, said = model.parts_of_steps(steps)
        assert said is not None
        assert said.any() != training


def test_of_many_voices_fewer_views_are_heard(
    go: Go, several: RunData, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact, heard = AudioBranch.whole_clip, []

    def noted(self: AudioBranch, *given: torch.Tensor) -> torch.Tensor:
        heard.append(len(given[0]))
        return exact(self, *given)

    monkeypatch.setattr(AudioBranch, "whole_clip", noted)
    monkeypatch.setattr("fer_core.training.functionals_stage.MOST_CLIPS", 100)
    go(several)
    assert sum(heard) == 2 * len(several.train), "40 voices, of each two views of eight"


def test_an_emotion_that_one_speaker_alone_shows_makes_nobody_less_sure(
    go: Go, several: RunData, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = AudioBranch.whole_clip
    noise = torch.Generator().manual_seed(0)

    def noisy(*given: Any) -> torch.Tensor:  # made voices are too much alike to be in doubt of
        numbers = exact(*given)
        return numbers + 3 * torch.randn(numbers.shape, generator=noise)

    monkeypatch.setattr(AudioBranch, "whole_clip", noisy)
    rare = several.train[-8]
    shown = (item for item in several.train if item is rare or item.emotion != rare.emotion)
    _, (row,) = go(RunData(tuple(shown), (), ()))
    assert row["loss"] < 2.1  # as it is where nothing is known: log 8


def test_one_speaker_teaches_too_though_nobody_tells_how_sure_to_be(
    go: Go, make_voices: MakeItems
) -> None:
    _, (row,) = go(RunData(tuple(make_voices(8)), (), ()))
    assert "loss" not in row


def test_without_voices_or_functionals_the_stage_is_refused(
    go: Go,
    several: RunData,
    make_faces: MakeItems,
    network: FERConfig,
    plain: TrainingConfig,
    tmp_path: Path,
) -> None:
    with pytest.raises(UserError, match="nothing to learn from"):
        go(RunData(tuple(make_faces(4)), (), ()))
    with pytest.raises(UserError, match="no functionals"):
        go(several, config=RunConfig(network, plain), folder=tmp_path / "other")
