from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer_core.config import FERConfig, FusionConfig, Thresholds
from fer_core.data import features
from fer_core.data.augment.sound import SoundAugmentation
from fer_core.data.batch import Sample, collate
from fer_core.data.clips import Augmentation, ClipCutter, Modalities
from fer_core.data.datasets import Draw, PairedClips, Windows
from fer_core.data.features import EncodedSamples, EncodedWindows, encoder_digest
from fer_core.data.item import EACH_ALONE, NEUTRAL_OR_CALM, Item, one_emotion
from fer_core.data.store import MediaStore
from fer_core.errors import UserError
from fer_core.evaluation.evaluate import answer
from fer_core.media import SAMPLE_RATE
from fer_core.model.functionals import FUNCTIONALS
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.training.functionals_stage import having_functionals
from fer_core.weights import new_model


@pytest.fixture
def model(tiny_config: FERConfig) -> MultimodalFER:
    """With a convolutional stem, whose statistics a training mode would change."""
    config = replace(
        tiny_config,
        vision=replace(tiny_config.vision, stem="conv", stem_blocks=1),
        audio=replace(tiny_config.audio, dropout=0.5),
        thresholds=Thresholds(min_speech_s=0.0),
    )
    return new_model(config, seed=0)


@pytest.fixture
def store(tmp_path: Path, model: MultimodalFER) -> MediaStore:
    return MediaStore(tmp_path / "media", model.config.vision)


@pytest.fixture
def cutter(store: MediaStore, model: MultimodalFER) -> ClipCutter:
    return ClipCutter(store, model.config, model.audio_branch.spectra_mean)


@pytest.fixture
def voice(write_sound: Callable[..., Path]) -> Item:
    sound = 0.1 * np.random.default_rng(0).standard_normal(int(4.0 * SAMPLE_RATE))
    path = write_sound("voice.wav", sound)
    return Item("v", path, "recording", True, False, one_emotion(3), EACH_ALONE)


@pytest.fixture
def face(tmp_path: Path) -> Item:
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    np.savez(tmp_path / "faces.npz", images=images)
    path = tmp_path / "faces.npz"
    return Item("f", path, "still", False, True, one_emotion(3), NEUTRAL_OR_CALM, index=1)


def _counted(whole: Callable[..., Any], done: list[str]) -> Callable[..., Any]:
    def counted(*given: object) -> Any:
        done.append(whole.__name__)
        return whole(*given)

    return counted


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was decoded, cut and encoded."""
    done: list[str] = []
    for owner, name in (
        (MediaStore, "prepared"),
        (ClipCutter, "varied"),
        (ClipCutter, "window"),
        (MultimodalFER, "encode_audio"),
        (MultimodalFER, "encode_frames"),
    ):
        monkeypatch.setattr(owner, name, _counted(getattr(owner, name), done))
    return done


MakeSource = Callable[..., EncodedSamples]


@pytest.fixture
def make_source(
    model: MultimodalFER, store: MediaStore, cutter: ClipCutter, tmp_path: Path
) -> MakeSource:
    def make(
        how: Augmentation | None = None, views: int = 2, seed: int = 0, of: MultimodalFER = model
    ) -> EncodedSamples:
        return EncodedSamples(of, store, cutter, how, tmp_path / "features", views, seed)

    return make


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def files(tmp_path: Path) -> int:
    folder = tmp_path / "features"
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_the_second_epoch_neither_decodes_nor_encodes(
    make_source: MakeSource, voice: Item, face: Item, work: list[str]
) -> None:
    clips = PairedClips([voice, face], make_source(Augmentation()), 0, modality_dropout=0.0)
    first = clips[[Draw(0, 0)]]
    assert {"prepared", "varied", "encode_audio", "encode_frames"} <= set(work)
    work.clear()
    for epoch in range(1, 5):
        later = clips[[Draw(epoch, 0)]]
    assert work == []
    assert torch.equal(first.steps, later.steps)  # of two views: epochs 0 and 4 are the first


def test_what_memory_has_no_room_for_is_read_from_disk(
    make_source: MakeSource, voice: Item, face: Item, work: list[str], monkeypatch
) -> None:
    both = Modalities()
    source = make_source()
    voice_kept = source.sample(voice, both, 0, rng())
    room = sum(t.nbytes for t in source._features.of(voice, source._cut).values())
    monkeypatch.setattr(features, "KEPT_BYTES", room)
    source = make_source()
    source.sample(voice, both, 0, rng())
    face_first = source.sample(face, both, 0, rng())
    read: list[Path] = []
    load = features.load_file
    monkeypatch.setattr(features, "load_file", lambda path: read.append(path) or load(path))
    work.clear()
    for given, sample in ((voice, voice_kept), (face, face_first)):
        again = source.sample(given, both, 0, rng())
        for own, other in zip(vars_of(again), vars_of(sample), strict=True):
            torch.testing.assert_close(own, other)
    assert len(read) == 1, "the voice filled the memory, the face is on disk"
    assert work == []


def test_another_run_neither_decodes_nor_encodes(
    make_source: MakeSource, voice: Item, face: Item, work: list[str]
) -> None:
    before = [make_source().sample(item, Modalities(), 1, rng()) for item in (voice, face)]
    work.clear()
    again = [make_source().sample(item, Modalities(), 1, rng()) for item in (voice, face)]
    assert work == []
    assert torch.equal(before[0].steps, again[0].steps)
    assert torch.equal(before[1].vectors, again[1].vectors)


def test_how_samples_are_varied_does_not_depend_on_the_encoders_weights(
    make_source: MakeSource, model: MultimodalFER, voice: Item, face: Item
) -> None:
    """Threads change a weight's last bit, and a run that goes on may have fewer of them."""
    how = Augmentation(SoundAugmentation(noise=1.0))
    before = [make_source(how).sample(item, Modalities(), 0, rng()) for item in (voice, face)]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.nextafter_(torch.tensor(torch.inf))
    again = [make_source(how).sample(item, Modalities(), 0, rng()) for item in (voice, face)]
    assert not torch.equal(before[0].steps, again[0].steps)  # encoded anew
    torch.testing.assert_close(before[0].steps, again[0].steps, atol=1e-4, rtol=0)
    torch.testing.assert_close(before[1].vectors, again[1].vectors, atol=1e-4, rtol=0)


@torch.inference_mode()
def test_features_are_what_the_encoders_make_of_the_same_samples(
    make_source: MakeSource, model: MultimodalFER, voice: Item, cutter: ClipCutter
) -> None:
    """Of what has only one crop there is nothing to draw."""
    short = replace(voice, end_s=2.0)
    model.train()
    encoded = make_source(None).sample(short, Modalities(), 0, rng())
    model.eval()
    sample = cutter.varied(short, Modalities(), None, rng())
    batch = collate([sample])
    assert torch.equal(encoded.audio_mask, sample.audio_mask)
    torch.testing.assert_close(
        encoded.steps, model.encode_audio(batch.spectra, batch.audio_mask)[0]
    )
    assert encoded.spectra is None


def test_each_picture_of_a_file_has_features_of_its_own(
    make_source: MakeSource, face: Item
) -> None:
    source = make_source(None, views=1)
    one, other = (
        source.sample(replace(face, index=index), Modalities(), 0, rng()).vectors
        for index in (1, 2)
    )
    assert not torch.equal(one, other)


@torch.inference_mode()
def test_items_of_one_length_are_not_cut_at_the_same_places(
    make_source: MakeSource, cutter: ClipCutter, voice: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[float] = []

    def varied(
        self: ClipCutter, item: Item, wanted: Modalities, how: object, rng: np.random.Generator
    ) -> Sample:
        drawn.append(float(rng.random()))
        return self.window(item, 0.0, wanted)

    monkeypatch.setattr(ClipCutter, "varied", varied)
    for item in (voice, replace(voice, start_s=0.25)):
        make_source(Augmentation(), views=2).sample(item, Modalities(), 0, rng())
    assert len(set(drawn)) == 4


def test_a_still_face_is_lost_now_and_then_but_never_for_all_of_the_clip(
    make_source: MakeSource, face: Item
) -> None:
    source, draws = make_source(None, views=1), rng()
    masks = [source.sample(face, Modalities(), 0, draws).frame_mask for _ in range(200)]
    lost = 1 - torch.stack(masks).float().mean()
    assert 0.02 < lost < 0.08
    assert all(mask.any() for mask in masks)


def test_however_often_a_face_is_lost_one_frame_of_it_is_left(
    make_source: MakeSource, face: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_core.data.features.HIDDEN", 1.0)
    mask = make_source(None, views=1).sample(face, Modalities(), 0, rng()).frame_mask
    assert mask.sum() == 1


def test_a_face_that_nobody_could_find_is_not_shown(
    make_source: MakeSource, face: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = ClipCutter.window

    def blind(
        self: ClipCutter, item: Item, wanted: Modalities, how: object, rng: np.random.Generator
    ) -> Sample:
        return window(self, item, 0.0, wanted).without_picture()

    monkeypatch.setattr(ClipCutter, "varied", blind)
    sample = make_source(None, views=1).sample(face, Modalities(), 0, rng())
    assert not sample.frame_mask.any()


@torch.inference_mode()
def test_a_still_shows_views_of_itself_in_every_place(
    make_source: MakeSource, model: MultimodalFER, face: Item, cutter: ClipCutter
) -> None:
    moving = make_source(Augmentation(), views=4).sample(face, Modalities(), 1, rng())
    assert moving.vectors is not None
    assert moving.vectors.shape == (16, 16)
    assert 1 < len(moving.vectors.unique(dim=0)) <= 4
    still = make_source(Augmentation(), views=1).sample(face, Modalities(), 5, rng())
    assert still.vectors is not None
    assert len(still.vectors.unique(dim=0)) == 1
    unvaried = make_source(None, views=1).sample(face, Modalities(), 0, rng())
    batch = collate([cutter.window(face, 0.0, Modalities())])
    expected = model.eval().encode_frames(batch.pictures[0], batch.rois[0]).vectors
    torch.testing.assert_close(unvaried.vectors, expected.expand(16, -1))


def test_views_differ_and_the_epochs_go_through_them(make_source: MakeSource, voice: Item) -> None:
    source = make_source(Augmentation(), views=3)
    steps = [source.sample(voice, Modalities(), epoch, rng()).steps for epoch in range(6)]
    for view in range(3):
        assert torch.equal(steps[view], steps[view + 3])
    assert not torch.equal(steps[0], steps[1])
    assert not torch.equal(steps[1], steps[2])


@pytest.mark.parametrize("resting", ["audio_branch", "visual_branch"])
def test_encoding_leaves_modes_and_statistics_alone(
    make_source: MakeSource, model: MultimodalFER, voice: Item, face: Item, resting: str
) -> None:
    model.train()
    model.get_submodule(resting).eval()
    modes = [part.training for part in model.modules()]
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    source = make_source()
    for item in (voice, face):
        assert not any(
            tensor.requires_grad for tensor in vars_of(source.sample(item, Modalities(), 0, rng()))
        )
    assert [part.training for part in model.modules()] == modes
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def vars_of(sample: object) -> list[torch.Tensor]:
    values = (getattr(sample, name) for name in ("steps", "vectors", "frame_mask"))
    return [value for value in values if value is not None]


def test_what_changes_a_feature_changes_the_file(
    make_source: MakeSource, model: MultimodalFER, voice: Item, tmp_path: Path
) -> None:
    def made(source: EncodedSamples, item: Item = voice) -> bool:
        before = files(tmp_path)
        source.sample(item, Modalities(), 0, rng())
        return files(tmp_path) > before

    assert made(make_source())
    assert not made(make_source())
    assert made(make_source(Augmentation()))
    assert made(make_source(Augmentation(SoundAugmentation(stretch=0.01))))
    assert made(make_source(views=3))
    assert made(make_source(seed=1))
    assert made(make_source(), replace(voice, start_s=0.5))
    other = new_model(model.config, seed=0)
    other.audio_branch.spectra_mean += 0.1
    assert made(make_source(of=other))
    with torch.no_grad():
        next(model.visual_branch.parameters())[0] += 1e-3
    assert made(make_source())


def test_the_digest_is_of_the_encoders_alone(model: MultimodalFER) -> None:
    wider = replace(model.config, fusion=FusionConfig(kind="late", width=8, heads=2, out=16))
    assert encoder_digest(new_model(wider, seed=1)) != encoder_digest(model)
    fused = new_model(wider, seed=1)
    fused.audio_branch.load_state_dict(model.audio_branch.state_dict())
    fused.visual_branch.load_state_dict(model.visual_branch.state_dict())
    assert encoder_digest(fused) == encoder_digest(model)


@pytest.mark.parametrize(
    "changed",
    [
        lambda c: replace(c, roi=replace(c.roi, keep=40)),
        lambda c: replace(c, roi=replace(c.roi, place="early")),
        lambda c: replace(c, thresholds=replace(c.thresholds, silence_dbfs=-40.0)),
        lambda c: replace(c, audio=replace(c.audio, scale_input=True)),
        lambda c: replace(c, vision=replace(c.vision, heads=1)),
        lambda c: replace(c, temporal=replace(c.temporal, heads=1)),  # which pool a frame, too
    ],
)
def test_what_encodes_otherwise_with_the_same_weights_has_another_digest(
    model: MultimodalFER, changed: Callable[[FERConfig], FERConfig]
) -> None:
    other = MultimodalFER(changed(model.config))
    other.load_state_dict(model.state_dict())
    assert encoder_digest(other) != encoder_digest(model)


def test_a_picture_that_changes_under_its_name_is_encoded_again(
    make_source: MakeSource, face: Item, tmp_path: Path
) -> None:
    make_source().sample(face, Modalities(), 0, rng())
    np.savez(face.path, images=np.zeros((4, 48, 48), np.uint8))
    make_source().sample(face, Modalities(), 0, rng())
    assert files(tmp_path) == 2


def test_a_damaged_file_is_made_anew(make_source: MakeSource, voice: Item, tmp_path: Path) -> None:
    before = make_source().sample(voice, Modalities(), 0, rng()).steps
    (path,) = (tmp_path / "features").iterdir()
    path.write_bytes(path.read_bytes()[:100])
    assert torch.equal(make_source().sample(voice, Modalities(), 0, rng()).steps, before)


def test_a_folder_that_cannot_be_written_is_told(
    model: MultimodalFER, store: MediaStore, cutter: ClipCutter, voice: Item, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    source = EncodedSamples(model, store, cutter, None, tmp_path / "file" / "f", 1, 0)
    with pytest.raises(UserError, match="cannot be written"):
        source.sample(voice, Modalities(), 0, rng())


@torch.inference_mode()
def test_encoded_windows_are_the_windows_and_are_encoded_once(
    model: MultimodalFER,
    store: MediaStore,
    cutter: ClipCutter,
    voice: Item,
    face: Item,
    tmp_path: Path,
    work: list[str],
) -> None:
    items = [voice, face]
    source = EncodedWindows(model, store, cutter, tmp_path / "features")
    encoded = Windows(items, source, Modalities(), batch_size=8)
    fresh = Windows(items, cutter, Modalities(), batch_size=8)
    model.eval()
    for index in range(len(fresh)):
        (mine, places), (theirs, expected) = encoded[index], fresh[index]
        assert places == expected
        assert torch.equal(mine.audio_mask, theirs.audio_mask)
        if theirs.spectra is not None:
            steps = model.encode_audio(theirs.spectra, theirs.audio_mask)
            torch.testing.assert_close(mine.steps, steps)
        else:
            logits = answer(model, theirs).logits
            vectors = mine.vectors.expand(-1, 16, -1)
            steps = torch.zeros(1, 38, model.config.audio.width)
            again = model.decide(vectors, mine.frame_mask, steps, mine.audio_mask).logits
            torch.testing.assert_close(again, logits)
    work.clear()
    for index in range(len(encoded)):
        encoded[index]
    assert work == []


@pytest.fixture
def judging(model: MultimodalFER) -> MultimodalFER:
    """The network with functionals, which say the same whatever they hear."""
    other = having_functionals(model)
    assert other.audio_branch.discriminant is not None
    other.audio_branch.discriminant.bias.fill_(5.0)
    return other


def test_functionals_say_nothing_of_samples_until_they_are_told(
    make_source: MakeSource, judging: MultimodalFER, voice: Item
) -> None:
    source = make_source(of=judging)

    def said(view: int) -> torch.Tensor:
        steps = source.sample(voice, Modalities(video=False), view, rng()).steps
        assert steps is not None
        encoded, by_functionals = judging.parts_of_steps(steps.unsqueeze(0))
        assert encoded.any()
        assert by_functionals is not None
        return by_functionals[0]

    assert not said(0).any()
    told = torch.arange(16.0).reshape(2, 8)
    source.say(voice, told)
    for view in range(2):
        assert torch.equal(said(view), told[view])


def test_functionals_of_each_view_are_kept(
    make_source: MakeSource, judging: MultimodalFER, voice: Item, work: list[str]
) -> None:
    numbers, heard = make_source(of=judging).functionals(voice)
    assert numbers.shape == (2, FUNCTIONALS)
    assert heard.tolist() == [True, True]
    done = len(work)
    again, _ = make_source(of=judging).functionals(voice)
    assert torch.equal(numbers, again)
    assert work[done:] == []
