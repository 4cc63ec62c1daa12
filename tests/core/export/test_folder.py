"""One export of a tiny network in every form, and what it promises."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import onnx
import pytest
import torch
from torch import Tensor, nn

from fer_core.config import FERConfig, PerModality, Stem, Temperatures
from fer_core.errors import UserError
from fer_core.export.folder import Format, FormReport, as_text, export_model
from fer_core.export.onnx_export import CONFIG_KEY, PORTS_KEY, onnx_runner, save_onnx
from fer_core.export.parity import probabilities, random_clips
from fer_core.export.parts import parts_of, traceable
from fer_core.export.torch_export import trace
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.weights import load_config, new_model


@pytest.fixture(scope="module")
def model(corrected: Callable[..., MultimodalFER], tiny_config: FERConfig) -> MultimodalFER:
    """Sure of its answers, so that a wrong one is far off; it judges by functionals, too."""
    sure = PerModality(both=0.01, audio=0.02, video=0.03)
    config = dataclasses.replace(
        tiny_config,
        temperatures=Temperatures(clip=sure, segment=sure),
        audio=dataclasses.replace(tiny_config.audio, functionals=True),
    )
    model = corrected(new_model(config, seed=0)).eval()
    discriminant = model.audio_branch.discriminant
    assert discriminant is not None
    discriminant.weight.normal_(std=1e-3, generator=torch.Generator().manual_seed(0))
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exported")


@pytest.fixture(scope="module")
def reports(model: MultimodalFER, folder: Path) -> dict[str, FormReport]:
    done = export_model(model, folder, int8=True, int8_tolerance=0.5)
    return {report.form: report for report in done}


@pytest.mark.parametrize("form", ["ONNX", "torch.export"])
def test_float32_gives_torchs_answers(reports: dict[str, FormReport], form: str) -> None:
    assert reports[form].largest < 1e-4
    for found in reports[form].differences:
        assert found.largest <= 1e-5 * max(1.0, found.of), found


def test_the_answers_compared_are_not_all_alike(reports: dict[str, FormReport]) -> None:
    assert next(d.of for d in reports["ONNX"].differences if d.output == "probabilities") > 0.5


def test_the_exported_answers_are_calibrated(model: MultimodalFER) -> None:
    """In the first of these clips nothing was heard, in the second nothing seen."""
    clips = random_clips(3, seed=0)
    with torch.inference_mode():
        raw = model(clips).logits
        exported = probabilities({part.name: part.module for part in parts_of(model)}, clips)
    temperatures = torch.tensor([[0.03], [0.02], [0.01]])
    torch.testing.assert_close(exported[:, 0], (raw / temperatures).softmax(-1), atol=1e-4, rtol=0)


def test_int8_is_smaller_and_close(reports: dict[str, FormReport]) -> None:
    assert reports["ONNX int8"].largest < 0.5
    exact, rough = (dict(reports[form].files) for form in ("ONNX", "ONNX int8"))
    for name, size in exact.items():
        assert rough[name.replace(".onnx", ".int8.onnx")] < size


def test_int8_leaves_exact_what_chooses_and_what_answers(
    reports: dict[str, FormReport], folder: Path
) -> None:
    for name in ("frame_encoder.int8.onnx", "decision.int8.onnx"):
        weights = onnx.load(folder / name).graph.initializer
        products = [w for w in weights if w.data_type == onnx.TensorProto.INT8 and len(w.dims) == 2]
        assert products
        assert min(weight.dims[1] for weight in products) == 16


def test_any_number_of_frames_goes_through_the_file(
    reports: dict[str, FormReport], folder: Path, model: MultimodalFER
) -> None:
    encode = onnx_runner(folder / "frame_encoder.onnx")
    for frames in (1, 5):
        pixels, roi = torch.rand(frames, 3, 224, 224), torch.rand(frames, 196) < 0.3
        vectors, kept = encode(pixels, roi)
        wanted = model.encode_frames(pixels, roi)
        torch.testing.assert_close(vectors, wanted.vectors, atol=1e-5, rtol=0)
        assert torch.equal(kept, wanted.kept)


def test_a_pt2_file_says_what_the_network_says(
    reports: dict[str, FormReport], folder: Path, model: MultimodalFER
) -> None:
    program = torch.export.load(folder / "audio_encoder.pt2").module()
    clips = random_clips(2, seed=1)
    (steps,) = program(clips.spectra, clips.audio_mask)
    wanted = model.encode_audio(clips.spectra, clips.audio_mask)
    torch.testing.assert_close(steps, wanted, atol=1e-5, rtol=0)


def test_the_folder_explains_itself(
    reports: dict[str, FormReport], folder: Path, model: MultimodalFER
) -> None:
    assert load_config(folder) == model.config
    readme = (folder / "README.txt").read_text()
    assert "frame_encoder" in readme
    assert "(batch, 16, 16) float32" in readme  # the tiny network's frame vectors
    assert "softmax(logits)" in readme
    assert "never; its answers mean nothing" in readme


def test_the_readme_says_what_it_was_trained_on(tiny_config: FERConfig, tmp_path: Path) -> None:
    config = dataclasses.replace(tiny_config, trained_on="ravdess: All of it trains.")
    export_model(new_model(config, seed=0).eval(), tmp_path, formats=())
    assert "Trained: ravdess: All of it trains.\n" in (tmp_path / "README.txt").read_text()


def test_each_onnx_file_says_what_it_is(
    reports: dict[str, FormReport], folder: Path, model: MultimodalFER
) -> None:
    for name in ("decision.onnx", "decision.int8.onnx"):
        noted = {entry.key: entry.value for entry in onnx.load(folder / name).metadata_props}
        assert FERConfig.from_json(json.loads(noted[CONFIG_KEY])) == model.config
        assert json.loads(noted[PORTS_KEY])["logits"].startswith("(batch, 8) float32")


def test_the_report_prints_size_and_largest_difference(reports: dict[str, FormReport]) -> None:
    text = as_text(list(reports.values()))
    assert "decision.int8.onnx" in text
    assert "ONNX: probabilities differ from torch's by" in text


def test_the_network_is_as_before(reports: dict[str, FormReport], model: MultimodalFER) -> None:
    assert model.audio_branch.encoders[0].config._attn_implementation == "sdpa"
    assert {name for name, _ in model.named_children()} >= {"audio_branch", "visual_branch"}


class Shifted(nn.Module):
    """Answers that depend on whether they are traced, as a wrong exporter's would."""

    def __init__(self, mlp: nn.Module) -> None:
        super().__init__()
        self.mlp = mlp

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.mlp(x)
        return logits + 0.01 if torch.compiler.is_exporting() else logits


def test_a_wrong_export_is_refused_and_leaves_nothing(
    tiny_config: FERConfig, tmp_path: Path
) -> None:
    model = new_model(tiny_config, seed=0).eval()
    model.classifier.mlp = Shifted(model.classifier.mlp)  # type: ignore[assignment]
    with pytest.raises(UserError, match=r"logits of decision differ by 1\.0e-02"):
        export_model(model, tmp_path / "out", formats=["pt2"])
    assert list((tmp_path / "out").iterdir()) == []


def test_an_unwritable_folder_is_a_users_error(tiny_config: FERConfig, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="could not be exported"):
        export_model(new_model(tiny_config, seed=0), tmp_path / "file")


@pytest.mark.parametrize("form", ["pt2", "onnx"])
def test_a_full_disk_is_a_users_error_and_leaves_nothing(
    tiny_config: FERConfig,
    tmp_path: Path,
    form: Format,
    small_files: Callable[[], AbstractContextManager[None]],
) -> None:
    with small_files(), pytest.raises(UserError, match="could not be exported"):
        export_model(new_model(tiny_config, seed=0), tmp_path / "out", [form])
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("stem", ["patch", "conv"])
def test_patches_chosen_early_are_exported_too(
    tiny_config: FERConfig, tmp_path: Path, stem: Stem
) -> None:
    config = dataclasses.replace(
        tiny_config,
        roi=dataclasses.replace(tiny_config.roi, place="early"),
        vision=dataclasses.replace(tiny_config.vision, stem=stem, stem_blocks=1),
    )
    model = new_model(config, seed=0)
    encoder, *_ = parts_of(model)
    with traceable(model):
        save_onnx(encoder, trace(encoder), config, tmp_path / "early.onnx")
    pixels, roi = torch.rand(3, 3, 224, 224), torch.rand(3, 196) < 0.3
    vectors, kept = onnx_runner(tmp_path / "early.onnx")(pixels, roi)
    wanted = model.encode_frames(pixels, roi)
    torch.testing.assert_close(vectors, wanted.vectors, atol=1e-5, rtol=0)
    assert torch.equal(kept, wanted.kept)
