from __future__ import annotations

import json
from collections.abc import Callable

from torch import Tensor

from fer_core.data.item import Item
from fer_core.evaluation.answers import Answers
from fer_core.evaluation.measurement import Measurement, Trial

MakeItem = Callable[..., Item]
MakeAnswers = Callable[..., Answers]
Probabilities = Callable[..., Tensor]

TRIAL = Trial("ravdess", "dev5-0", "Tested on actor 01.", False, "audio alone")


def test_a_measurement_is_told_as_json_with_the_keys_of_the_command_first(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    items = [make_item(sex="female"), make_item("sad")]
    answers = make_answers(items, [probabilities(happy=0.9)] * 2)
    told = Measurement.of(TRIAL, answers).as_json()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert list(told)[:12] == list(Measurement.of(TRIAL, answers).scores.as_json("", ""))
    assert (told["corpus"], told["split"], told["uar"]) == ("ravdess", "dev5-0", 0.5)
    assert told["by_sex"] == {"female": {"n": 1, "uar": 1.0, "war": 1.0}}
    assert told["intervals"]["over"] == "items"
    assert told["segments"]["overall"]["n"] == 16


def test_a_model_that_never_answers_is_measured_too(
    make_item: MakeItem, make_answers: MakeAnswers, probabilities: Probabilities
) -> None:
    answers = make_answers([make_item()], [probabilities()], heard=False, seen=False)
    found = Measurement.of(TRIAL, answers)
    assert found.segments is None
    assert found.scores.uar == 0
    assert found.as_json()["unanswered"] == 1
