"""How a model is opened: real checkpoints of a tiny network, whole and damaged in many ways."""

from __future__ import annotations

import gc
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fer_core.config import FERConfig
from fer_core.errors import UserError
from fer_core.weights import new_model, save_checkpoint
from fer_desktop.live import model
from fer_desktop.live.model import open_file_model, open_model


@pytest.fixture
def folder(tmp_path: Path, tiny_config: FERConfig) -> Path:
    save_checkpoint(new_model(tiny_config, seed=0), tmp_path / "tiny")
    return tmp_path / "tiny"


def test_a_folder_is_opened_and_says_where_it_runs(folder):
    predictor, state = open_model(folder, "cpu")
    assert (state.config.name, state.device) == ("tiny", "cpu")
    predictor.reset()


def test_live_and_files_share_the_weights_of_one_model(folder):
    streaming, _ = open_model(folder, "cpu")
    for_files = open_file_model(folder, "cpu")
    assert streaming._predictor is for_files.predictor
    assert for_files.used.preset == "tiny"


def test_weights_written_anew_are_read_anew(folder, tiny_config):
    before = open_file_model(folder, "cpu")
    save_checkpoint(new_model(tiny_config, seed=1), folder)
    after = open_file_model(folder, "cpu")
    assert after.predictor is not before.predictor
    assert after.used.sha256 != before.used.sha256


def test_without_a_bundled_model_files_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr("fer_core.analysis.model.bundled_model", lambda: tmp_path / "none")
    with pytest.raises(UserError, match="No trained model"):
        open_file_model(None, "cpu")


def test_without_a_bundled_model_an_untrained_one_stands_in(monkeypatch, tmp_path):
    monkeypatch.setattr(model, "bundled_model", lambda: tmp_path / "none")
    _, state = open_model(None, "cpu")
    assert state.config.name == "compact"
    assert not state.config.trained_on


@pytest.mark.skipif(torch.cuda.is_available(), reason="this computer has CUDA")
def test_a_device_that_is_not_there_is_refused_and_named_as_unavailable(folder):
    with pytest.raises(UserError, match="CUDA"):
        open_model(folder, "cuda")
    assert "CUDA" in open_model(folder, "cpu")[1].unavailable["cuda"]


def empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def cut(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(pickle.dumps({"weight": [0.0]}))


def other_labels(folder: Path) -> None:
    file = folder / "config.json"
    values = json.loads(file.read_text())
    file.write_text(json.dumps(values | {"labels": values["labels"][::-1]}))


def broken_configuration(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def other_shapes(folder: Path) -> None:
    file = folder / "config.json"
    values = json.loads(file.read_text())
    values["vision"]["mlp"] = 48
    file.write_text(json.dumps(values))


@pytest.mark.parametrize(
    "damage",
    [empty, cut, pickled, other_labels, broken_configuration, other_shapes],
    ids=lambda damage: damage.__name__,
)
def test_a_damaged_model_is_one_sentence_that_names_the_place(folder, damage):
    damage(folder)
    with pytest.raises(UserError) as refused:
        open_model(folder, "cpu")
    assert str(folder) in refused.value.text
    assert "\n" not in refused.value.text


def test_what_the_import_makes_is_never_searched_for_garbage_and_later_garbage_is():
    gc.unfreeze()
    model._import_network.cache_clear()
    model._import_network()
    frozen = gc.get_freeze_count()
    gc.unfreeze()
    assert frozen > 100_000
    assert gc.isenabled()


def test_another_model_freezes_nothing_more():
    model._import_network()
    gc.unfreeze()
    model._import_network()
    assert gc.get_freeze_count() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process's map of memory")
def test_the_compilers_llvm_stays_out_of_the_program(folder):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from fer_desktop.live.model import open_model\n"
        f"open_model(Path({str(folder)!r}), 'cpu')\n"
        "assert 'libtriton' not in open('/proc/self/maps').read()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
