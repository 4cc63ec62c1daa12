from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from fer_core.config import FERConfig
from fer_core.errors import UserError
from fer_core.export.pack import pack
from fer_core.weights import load_checkpoint, new_model, save_checkpoint


@pytest.fixture
def trained(tiny_config: FERConfig, tmp_path: Path) -> Path:
    folder = tmp_path / "run" / "model"
    save_checkpoint(new_model(tiny_config, seed=0), folder)
    (folder / "model_card.md").write_text("# tiny\n")
    (folder / "curves.png").write_bytes(b"\x89PNG")
    return folder


def test_a_packed_model_is_half_as_large_and_has_its_card_and_figures(
    trained: Path, tmp_path: Path
) -> None:
    size = pack(trained, tmp_path / "packed")
    packed = {path.name: path for path in (tmp_path / "packed").iterdir()}
    assert set(packed) == {"config.json", "model.safetensors", "model_card.md", "curves.png"}
    assert size == sum(path.stat().st_size for path in packed.values())
    before = (trained / "model.safetensors").stat().st_size
    assert packed["model.safetensors"].stat().st_size < 0.6 * before
    assert packed["model_card.md"].read_text() == "# tiny\n"


def test_its_weights_are_those_of_the_model_to_three_digits(trained: Path, tmp_path: Path) -> None:
    pack(trained, tmp_path / "packed")
    kinds = {t.dtype for t in load_file(tmp_path / "packed" / "model.safetensors").values()}
    assert torch.float32 not in kinds
    after = load_checkpoint(tmp_path / "packed").state_dict()
    for name, tensor in load_checkpoint(trained).state_dict().items():
        torch.testing.assert_close(after[name], tensor, rtol=1e-3, atol=1e-6)


def test_what_nobody_measured_is_not_packed(trained: Path, tmp_path: Path) -> None:
    (trained / "model_card.md").unlink()
    with pytest.raises(UserError, match="no model_card"):
        pack(trained, tmp_path / "packed")
    assert not (tmp_path / "packed").exists()


def test_a_folder_that_cannot_be_written_is_a_users_error(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="could not be saved"):
        pack(trained, tmp_path / "file")


def test_a_model_is_not_packed_over_itself(trained: Path) -> None:
    before = (trained / "model.safetensors").read_bytes()
    with pytest.raises(UserError, match="written over"):
        pack(trained, trained.parent / "." / "model")
    assert (trained / "model.safetensors").read_bytes() == before
