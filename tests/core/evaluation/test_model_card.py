from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from fer_core.config import PerModality, Temperatures
from fer_core.data.item import Corpus, Item
from fer_core.data.splits import Fold
from fer_core.evaluation.answers import Answers
from fer_core.evaluation.calibration import calibrate
from fer_core.evaluation.card_facts import CardFacts, CorpusUse
from fer_core.evaluation.measurement import Measurement, Trial
from fer_core.evaluation.model_card import model_card

MakeItem = Callable[..., Item]
MakeAnswers = Callable[..., Answers]
Probabilities = Callable[..., Tensor]

TRIAL = Trial("ravdess", "dev5-0", "Tested on actors 03, 04 and 05.", False, "audio alone")
NOTHING = CardFacts("compact", 13_900_000, ())


@pytest.fixture
def answers(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> Answers:
    """Three speakers, four items each; one of the four is wrong."""
    items = [
        make_item(emotion, speaker=f"0{speaker}", sex="female" if speaker == 4 else "male")
        for speaker in (3, 4, 5)
        for emotion in ("happy", "happy", "sad", "sad")
    ]
    said = [probabilities(happy=0.9)] * 2 + [probabilities(sad=0.9), probabilities(angry=0.9)]
    return make_answers(items, said * 3, seen=False)


@pytest.fixture
def corpus_use(make_item: MakeItem) -> CorpusUse:
    fold = Fold(
        "dev5-0",
        train=(make_item(speaker="01"), make_item(speaker="02"), make_item(speaker="02")),
        validation=(make_item(speaker="06"), make_item()),
        test=(),
        leaks_speakers=False,
        description="Tested on actors 03, 04 and 05.",
    )
    corpus = Corpus("ravdess", Path("anywhere"), (), (), "CC BY-NC-SA 4.0")
    return CorpusUse.of(corpus, fold)


def test_data_and_people_are_named(corpus_use: CorpusUse) -> None:
    card = model_card(dataclasses.replace(NOTHING, corpora=(corpus_use,)))
    assert (
        "| ravdess | CC BY-NC-SA 4.0 | dev5-0 | 3 items, 2 people | 2 items, 1 person | none |"
        in card
    )
    assert "- Train: 01, 02\n" in card
    assert "- Validation: 06; of 1 items it is not known who is in them\n" in card
    assert "- Test: nobody\n" in card
    assert "RAVDESS: acted speech" in card
    assert "FER+" not in card


def test_scores_come_with_their_interval_and_what_it_is_of(answers: Answers) -> None:
    card = model_card(dataclasses.replace(NOTHING, measurements=(Measurement.of(TRIAL, answers),)))
    row = "| ravdess | dev5-0 | audio alone | 12 | 3 | 0.750 [0.750, 0.750] | 0.750 [0.750, 0.750]"
    assert f"{row} | 0.150 (by chance 0.069) | 3 speakers |" in card
    assert "Not measured: audio and video, video alone." in card
    assert "| happy | 6 | 1.000 | 1.000 | 1.000 |" in card
    assert "| sad | 6 | 0.500 | 1.000 | 0.667 |" in card
    assert "| calm | 0 | - | - | - |" in card
    assert "| female | 4 | 1 | 0.750 | 0.750 |" in card
    assert "| 8 | 12 | 0.750 | 0.750 | 0.150 |" in card
    assert "| all | 96 | 0.750 | 0.750 | 0.150 |" in card
    assert "leaks" not in card


def test_a_leaking_split_is_stamped_on_every_score(answers: Answers, corpus_use: CorpusUse) -> None:
    trial = dataclasses.replace(TRIAL, split="random-0", leaks_speakers=True)
    measurement = Measurement.of(trial, answers)
    stamp = "leaks speakers: scores on it say nothing"
    card = model_card(dataclasses.replace(NOTHING, measurements=(measurement,)))
    assert "| random-0 † |" in card
    assert stamp in card
    leaking = dataclasses.replace(corpus_use, leaks_speakers=True)
    assert stamp in model_card(dataclasses.replace(NOTHING, corpora=(leaking,)))


def test_calibration_is_told_before_and_after(
    make_item: MakeItem, make_answers: MakeAnswers
) -> None:
    said = torch.full((8,), 1e-30)
    said[2], said[3] = 49.0, 1.0
    items = [make_item("happy")] * 70 + [make_item("sad")] * 30
    calibration = calibrate([make_answers(items, [said] * 100, seen=False)])
    card = model_card(
        dataclasses.replace(
            NOTHING,
            calibration=calibration,
            calibrated_on="actors 23 and 24",
            uncertain_below=PerModality(0.42, 0.4, 0.3),
            reliability_picture="reliability.png",
        )
    )
    assert "| window | both | too few | 1 | - | - |" in card
    assert "| window | audio | 100 | 4.59 | 0.280 | 0.000 |" in card
    assert "| segment | audio | 800 | 4.59 | 0.280 | 0.000 |" in card
    assert "Found on: actors 23 and 24." in card
    assert "under 0.42 with face and voice, 0.4 with a voice alone, 0.3 with a face alone." in card
    assert "(reliability.png)" in card


def test_what_was_calibrated_before_the_training_is_told(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    said = [probabilities(happy=0.98)] * 100
    answers = make_answers([make_item("happy")] * 70 + [make_item("sad")] * 30, said, seen=False)
    own = PerModality(both=0.92, audio=0.73, video=0.71)
    found = calibrate([answers], Temperatures(own, own))
    card = model_card(dataclasses.replace(NOTHING, calibration=found))
    assert "| window | video | too few | 0.71, as before this training | - | - |" in card
    facts = dataclasses.replace(NOTHING, calibrated_before=True, uncertain_below=own)
    assert "those of the model that training began with" in model_card(facts)
    assert "under 0.92 with face and voice" in model_card(facts)


def test_what_is_missing_is_said_to_be_missing_and_no_number_is_made_up() -> None:
    card = model_card(NOTHING)
    assert "Not measured: audio and video, audio alone, video alone." in card
    assert "The probabilities were not calibrated." in card
    assert "The command was not recorded." in card
    assert "Machine and time: not recorded." in card
    assert "Licence of the weights: not stated." in card
    assert "What it was trained on was not recorded." in card
    assert not re.search(r"\d\.\d", card)
    assert "![" not in card


def test_how_to_train_it_again_is_told() -> None:
    facts = dataclasses.replace(
        NOTHING, command="make train-compact", machine="two cores, 50 minutes"
    )
    card = model_card(facts)
    assert "```\nmake train-compact\n```" in card
    assert "Machine and time: two cores, 50 minutes." in card


def test_limits_say_that_nobodys_feelings_are_known() -> None:
    card = model_card(dataclasses.replace(NOTHING, notes=("Only English was heard.",)))
    assert "it does not tell what a person feels" in card
    assert "- Only English was heard.\n" in card
