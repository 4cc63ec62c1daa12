from __future__ import annotations

import errno
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from fer_core.config import FERConfig
from fer_core.errors import UserError
from fer_core.model.inputs import ModelInputs
from fer_core.weights import load_checkpoint, new_model, save_checkpoint


@pytest.fixture
def folder(tiny_config: FERConfig, tmp_path: Path) -> Path:
    save_checkpoint(new_model(tiny_config, seed=0), tmp_path / "model")
    return tmp_path / "model"


@torch.inference_mode()
def test_a_loaded_model_gives_the_saved_ones_answer_to_the_bit(
    tiny_config: FERConfig, tmp_path: Path, make_inputs: Callable[..., ModelInputs]
) -> None:
    model = new_model(tiny_config, seed=0).eval()
    save_checkpoint(model, tmp_path)
    loaded = load_checkpoint(tmp_path)
    assert loaded.config == tiny_config
    assert not loaded.training
    assert all(p.requires_grad for p in loaded.parameters())
    assert torch.equal(loaded(make_inputs()).logits, model(make_inputs()).logits)


@pytest.mark.parametrize("preset", ["compact"])
def test_buffers_that_are_not_saved_are_right_after_loading(preset: Any, tmp_path: Path) -> None:
    model = new_model(FERConfig.preset(preset), seed=0)
    save_checkpoint(model, tmp_path)
    loaded = dict(load_checkpoint(tmp_path).named_buffers())
    for name, buffer in model.named_buffers():
        assert torch.equal(loaded[name], buffer), name


def test_equal_seeds_give_equal_weights_and_leave_torchs_own_numbers_alone(
    tiny_config: FERConfig,
) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, same, other = (new_model(tiny_config, seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_a_model_saved_before_priors_were_kept_is_loaded_without_one(folder: Path) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    del weights["face_prior"]
    save_file(weights, path)
    assert not load_checkpoint(folder).face_prior.any()


def test_half_precision_becomes_single(folder: Path) -> None:
    path = folder / "model.safetensors"
    halves = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in load_file(path).items()
    }
    save_file(halves, path)
    model = load_checkpoint(folder)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    key = "classifier.mlp.0.weight"
    assert torch.equal(model.state_dict()[key], halves[key].float())


def test_saving_again_replaces_and_leaves_no_drafts(folder: Path, tiny_config: FERConfig) -> None:
    (folder / "card.md").write_text("kept")
    loaded = load_checkpoint(folder)
    save_checkpoint(new_model(tiny_config, seed=1), folder)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["card.md", "config.json", "model.safetensors"]
    assert not torch.equal(
        load_checkpoint(folder).classifier.mlp[0].weight, loaded.classifier.mlp[0].weight
    )


def test_a_loaded_model_does_not_depend_on_its_file(folder: Path) -> None:
    model = load_checkpoint(folder)
    (folder / "model.safetensors").write_bytes(b"")
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def change_config(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "config.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


class Malicious:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("the pickle was executed",))


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (lambda f: (f / "config.json").unlink(), "config.json is missing"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "model.safetensors is missing"),
    "truncated weights": (lambda f: truncate(f / "model.safetensors"), "damaged"),
    "empty weights": (lambda f: (f / "model.safetensors").write_bytes(b""), "damaged"),
    "truncated config": (lambda f: truncate(f / "config.json"), "config.json cannot be used"),
    "a pickle": (
        lambda f: (f / "model.safetensors").write_bytes(pickle.dumps(Malicious())),
        "no safetensors file",
    ),
    "a torch file": (
        lambda f: torch.save({"a": torch.ones(1)}, f / "model.safetensors"),
        "no safetensors file",
    ),
    "config of something else": (
        lambda f: (f / "config.json").write_text('{"model_type": "bert"}'),
        "unknown model_type",
    ),
    "other labels": (
        lambda f: change_config(f, lambda v: v["labels"].reverse()),
        "labels are surprised, ",
    ),
    "fewer labels": (lambda f: change_config(f, lambda v: v["labels"].pop()), "labels are"),
    "other shapes": (
        lambda f: change_config(f, lambda v: v["fusion"].update(out=24)),
        r"has shape \(16, 16\), not \(24, 16\)",
    ),
    "impossible sizes": (
        lambda f: change_config(f, lambda v: v["vision"].update(heads=3)),
        "vision.heads: 3 do not divide 16",
    ),
    "missing keys": (
        lambda f: change_weights(f, lambda w: w.pop("classifier.mlp.0.bias")),
        r"classifier.mlp.0.bias is missing",
    ),
    "unknown keys": (
        lambda f: change_weights(f, lambda w: w.update(extra=torch.ones(1))),
        "extra is unknown",
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_cannot_be_loaded_is_explained_in_one_message(folder: Path, name: str) -> None:
    spoil, reason = SPOILED[name]
    spoil(folder)
    with pytest.raises(UserError, match=reason) as problem:
        load_checkpoint(folder)
    assert "\n" not in str(problem.value)
    assert str(folder) in problem.value.text


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no model in"):
        load_checkpoint(tmp_path / "none")


def test_a_folder_that_cannot_be_written_is_said_so(tiny_config: FERConfig, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="could not be saved"):
        save_checkpoint(new_model(tiny_config, seed=0), tmp_path / "file")


def test_a_model_that_cannot_be_saved_leaves_nothing_half_written(
    tiny_config: FERConfig, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_a_full_disk(weights: object, path: Path, metadata: object) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr("fer_core.weights.save_file", on_a_full_disk)
    with pytest.raises(UserError, match="could not be saved"):
        save_checkpoint(new_model(tiny_config, seed=1), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
