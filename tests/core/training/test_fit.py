import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import fer_core.training
from fer_core.config import FERConfig, PerModality, Temperatures
from fer_core.data.check import check
from fer_core.data.clips import Modalities
from fer_core.data.item import EACH_ALONE, NEUTRAL_OR_CALM, Corpus, Item
from fer_core.data.splits import Fold, split
from fer_core.data.store import MediaStore
from fer_core.errors import UserError
from fer_core.training.config import RunConfig, TrainingConfig
from fer_core.training.fit import fit
from fer_core.training.job import TrainingJob
from fer_core.training.material import (
    Material,
    at_fold,
    folds_of,
    pairs_test,
    shown_names,
    with_a_test,
)
from fer_core.training.measuring import calibrated, measure
from fer_core.training.records import command_line, licence_of
from fer_core.weights import new_model, save_checkpoint

MODULE = Path(fer_core.training.__file__).with_name("__main__.py")
MakeItems = Callable[..., list[Item]]
JobOf = Callable[..., TrainingJob]


@pytest.fixture
def voice(voice_item: Callable[..., Item]) -> Item:
    return voice_item(3)


@pytest.fixture
def face(face_item: Callable[..., Item]) -> Item:
    return face_item(3)


@pytest.mark.parametrize(
    "corpus", ["CC BY-NC-SA 4.0", "votes: MIT; pictures of FER2013: research use"]
)
def test_weights_are_bound_by_the_narrowest_of_their_corpora(corpus: str) -> None:
    licence = licence_of(["MIT", corpus])
    assert licence is not None
    assert "non-commercial" in licence


def test_nothing_is_said_of_weights_whose_corpora_bind_nobody() -> None:
    assert licence_of(["ODbL 1.0", "your own"]) is None


def material_of(name: str, items: Sequence[Item], folder: Path) -> Material:
    checked = check(Corpus(name, folder, tuple(items), (), "MIT"))
    return Material(checked, split(checked.corpus, "speakers"))


def fold(**parts: tuple[Item, ...]) -> Fold:
    whole = {"train": (), "validation": (), "test": ()} | parts
    return Fold("dev5-0", leaks_speakers=False, description="Who is in it.", **whole)


def test_where_nobody_is_tested_the_validation_people_are_and_the_score_says_so(
    voice: Item, face: Item
) -> None:
    shown = with_a_test(fold(validation=(voice,)))
    assert shown.test == (voice,)
    assert shown.name == "dev5-0, validation"
    assert "chose the checkpoint" in shown.description
    assert with_a_test(fold(validation=(voice,), test=(face,))).test == (face,)
    assert with_a_test(fold()) == fold()


def test_who_lacks_a_modality_is_not_scored_by_it(
    make_voices: MakeItems, make_faces: MakeItems, network: FERConfig, tmp_path: Path
) -> None:
    everybody = (*make_voices(3), *make_faces(2))
    store = MediaStore(tmp_path / "cache", network.vision)
    model = new_model(network, seed=0)
    same = [replace(item, groups=EACH_ALONE) for item in everybody]
    measured = measure(model, "a", fold(test=tuple(same)), store, Modalities())
    assert {one.trial.shown: one.scores.n for one in measured} == {
        "audio and video": 5,
        "audio alone": 3,
        "video alone": 2,
    }


def test_who_has_one_modality_is_asked_once_for_a_temperature(
    make_voices: MakeItems, make_faces: MakeItems, network: FERConfig, tmp_path: Path
) -> None:
    store = MediaStore(tmp_path / "cache", network.vision)
    for voices, found in ((50, 50), (49, None)):
        validation = [*make_voices(voices), *make_faces(60)]
        model, fits = calibrated(new_model(network, seed=0), validation, store, Modalities())
        assert fits is not None
        counts = {name: fit and fit.answers for name, fit in fits.clip.fits.items()}
        assert counts == {"both": None, "audio": found, "video": 60}
        assert model.config.temperatures == fits.temperatures


def test_training_a_voice_further_leaves_what_is_known_of_faces(
    make_voices: MakeItems, network: FERConfig, tmp_path: Path
) -> None:
    own = PerModality(both=0.92, audio=0.73, video=0.71)
    thresholds = replace(network.thresholds, uncertain_below=own)
    begun = replace(network, temperatures=Temperatures(own, own), thresholds=thresholds)
    store = MediaStore(tmp_path / "cache", network.vision)
    model, _ = calibrated(new_model(begun, seed=0), make_voices(50), store, Modalities())
    for kept in (model.config.temperatures.clip, model.config.thresholds.uncertain_below):
        assert (kept.both, kept.video) == (0.92, 0.71)
        assert kept.audio != 0.73


def test_who_is_heard_and_seen_is_asked_with_each_alone_too(
    make_pairs: MakeItems, network: FERConfig, tmp_path: Path
) -> None:
    store = MediaStore(tmp_path / "cache", network.vision)
    model = new_model(network, seed=0)
    _, fits = calibrated(model, make_pairs(50), store, Modalities())
    assert fits is not None
    assert {name: fit and fit.answers for name, fit in fits.clip.fits.items()} == {
        "both": 50,
        "audio": 50,
        "video": 50,
    }


def test_voices_and_faces_of_different_corpora_are_tested_in_pairs(voice: Item, face: Item) -> None:
    (pairs,) = pairs_test(["a", "b"], [fold(test=(voice,)), fold(validation=(face,))])
    name, part = pairs
    assert name == "a with b"
    assert part.name == "100 pairs an emotion of dev5-0 and dev5-0, validation"
    assert len(part.test) == 100
    assert all(item.face == face for item in part.test)


def test_voices_of_each_corpus_are_paired_apart_since_each_has_its_own_emotions(
    voice: Item, face: Item
) -> None:
    calmless = replace(voice, key="of another corpus", groups=NEUTRAL_OR_CALM)
    first, second = pairs_test(
        ["a", "b", "faces"], [fold(test=(voice,)), fold(test=(calmless,)), fold(test=(face,))]
    )
    assert [name for name, _ in (first, second)] == ["a with faces", "b with faces"]
    assert {item.groups for item in first[1].test} == {EACH_ALONE}
    assert {item.groups for item in second[1].test} == {NEUTRAL_OR_CALM}


def test_without_faces_or_with_people_who_are_heard_and_seen_there_are_no_pairs(
    voice: Item, face: Item
) -> None:
    filmed = replace(voice, has_picture=True)
    assert pairs_test(["a"], [fold(test=(voice,))]) == []
    assert pairs_test(["a", "b"], [fold(test=(filmed,)), fold(test=(face,))]) == []


def test_a_refused_command_leaves_the_other_runs_record_as_it_was(
    make_voices: MakeItems,
    network: FERConfig,
    plain: TrainingConfig,
    job_of: JobOf,
    tmp_path: Path,
) -> None:
    voices = tuple(make_voices(4))
    corpus = Corpus("ravdess", tmp_path, voices, (), "MIT")
    material = Material(check(corpus), (fold(train=voices[:2], test=voices[2:]),))
    job = job_of(RunConfig(network, replace(plain, epochs=1)), material)
    run = job.out
    fit(job, 0)
    (run / "command.txt").write_text("what began it")
    said = (run / "data.json").read_bytes()
    other = replace(material, folds=(fold(train=voices[2:], test=voices[:2]),))
    with pytest.raises(UserError, match="holds another run"):
        fit(replace(job, material=[other]), 0)
    assert (run / "command.txt").read_text() == "what began it"
    assert (run / "data.json").read_bytes() == said


@pytest.fixture
def trained_further(
    make_voices: MakeItems, plain: TrainingConfig, job_of: JobOf, tmp_path: Path
) -> Callable[[FERConfig], Path]:
    """The folder of a run that began with a model of the network given."""

    def run(begun: FERConfig) -> Path:
        save_checkpoint(new_model(begun, seed=0), tmp_path / "before")
        voices = tuple(make_voices(4))
        corpus = Corpus("manifest", tmp_path, voices, (), "not stated")
        material = Material(check(corpus), (fold(train=voices[:2], test=voices[2:]),))
        other = replace(begun, name="not this one")
        job = job_of(RunConfig(other, replace(plain, epochs=1)), material)
        fit(job, 0, start_from=tmp_path / "before")
        return job.out

    return run


def test_weights_stay_bound_by_the_corpora_of_the_model_they_began_with(
    trained_further: Callable[[FERConfig], Path], network: FERConfig
) -> None:
    run = trained_further(replace(network, trained_on="ravdess, 960 items: Everything trains."))
    assert "non-commercial use only" in (run / "model" / "model_card.md").read_text()


def test_a_run_records_the_network_it_began_with(
    trained_further: Callable[[FERConfig], Path], network: FERConfig
) -> None:
    run = trained_further(replace(network, name="begun"))
    assert json.loads((run / "run.json").read_text())["config"]["model"]["name"] == "begun"


def test_a_fold_that_another_corpus_lacks_goes_with_its_first(
    make_voices: MakeItems, network: FERConfig, tmp_path: Path
) -> None:
    """As in crossval: the same people whether a fold is trained alone or in turn."""
    three = material_of("a", [i for name in "abc" for i in make_voices(1, name)], tmp_path)
    two = material_of("b", [i for name in "de" for i in make_voices(1, name)], tmp_path)
    for number in range(3):
        folds = folds_of([three, two], number, RunConfig(network), Modalities())
        alone = [own.folds[0].name for own in at_fold([three, two], number)]
        assert [fold.name for fold in folds] == alone == [f"speakers-{number}", "speakers-0"]


def test_two_corpora_of_the_same_people_give_the_same_fold(
    make_voices: MakeItems, tmp_path: Path
) -> None:
    voices = [item for name in "abc" for item in make_voices(2, name)]
    sound, video = (material_of("ravdess", part, tmp_path) for part in (voices, voices[::-1]))
    for number in range(3):
        first, second = (own.folds[0] for own in at_fold([sound, video], number))
        assert first.test_speakers == second.test_speakers
        assert not first.leaks_speakers


def test_who_is_tested_in_one_corpus_and_teaches_in_another_of_its_name_is_told(
    make_voices: MakeItems, tmp_path: Path
) -> None:
    whole = [item for name in "abc" for item in make_voices(2, name)]
    part = [item for item in whole if item.speaker != "c"]
    first, second = (material_of("ravdess", items, tmp_path) for items in (whole, part))
    leaking = [at_fold([first, second], number)[0].folds[0] for number in range(3)]
    assert any(fold.leaks_speakers for fold in leaking)
    for fold in leaking:
        assert ("LEAKS SPEAKERS" in fold.description) == fold.leaks_speakers
        if fold.leaks_speakers:
            assert "in another part of the other ravdess." in fold.description
    other = material_of("cremad", part, tmp_path)
    assert not any(at_fold([first, other], n)[0].folds[0].leaks_speakers for n in range(3))


def test_scores_of_corpora_of_one_name_are_numbered(make_voices: MakeItems, tmp_path: Path) -> None:
    voices = [item for name in "ab" for item in make_voices(1, name)]
    material = [material_of(name, voices, tmp_path) for name in ("own", "ravdess", "own")]
    assert shown_names(material) == ["own 1", "ravdess", "own 2"]
    assert shown_names(material[:2]) == ["own", "ravdess"]


def test_a_fold_is_found_by_its_number_where_others_are_missing(
    make_voices: MakeItems, tmp_path: Path
) -> None:
    whole = material_of("a", [i for name in "abc" for i in make_voices(1, name)], tmp_path)
    own = replace(whole, folds=whole.folds[1:])
    assert own.fold(1).name == "speakers-1"
    with pytest.raises(UserError, match=r"a has no fold 0 in this split\. Its folds are 1, 2\."):
        own.fold(0)
    with pytest.raises(UserError, match="no fold -1"):
        own.fold(-1)


@pytest.mark.parametrize(
    ("called", "told"),
    [
        (["train.py", "fit", "--out", "my run"], "python train.py fit --out 'my run'"),
        ([str(MODULE), "fit"], "python -m fer_core.training fit"),
        (["/lib/ipykernel_launcher.py", "-f", "/root/kernel-1.json"], None),
    ],
)
def test_only_a_command_of_ours_is_told_as_how_to_train_again(
    called: list[str], told: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", called)
    assert command_line() == told
