"""What a model was taught, in words: by this run, and by those that it began with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

BEGUN_WITH = "Begun with a model trained on: "
SAME = "Training began with a model trained before on the same corpora and splits."
OTHER = (
    "Training began with a model trained before ({}); people it learned from may be in the test."
)


MAY_KNOW = "The model that training began with may have learnt from these people."


def taught_by(corpus: str, items: int, split: str) -> str:
    """What one corpus taught, in a sentence; ``split`` describes who trained and who did not."""
    return f"{corpus}, {items:,} items: {split}"


def corpora_in(trained_on: str) -> tuple[str, ...]:
    """The names of all corpora that taught a model, of which its configuration tells more."""
    return tuple(dict.fromkeys(re.findall(r"(?:^| )([\w+-]+), [\d,]+ items: ", trained_on)))


class Provenance(NamedTuple):
    """What the model's configuration and its card say of its training."""

    trained_on: str
    notes: tuple[str, ...]


def provenance(taught: Sequence[str], before: str | None) -> Provenance:
    """What this run taught, then what those before it did, each thing once.

    Args:
        taught: for each corpus of this run what :func:`taught_by` tells.
        before: ``trained_on`` of the model that it began with; None is none.
    """
    now = " ".join(taught)
    if before is None:
        return Provenance(now, ())
    told = [now]
    for earlier in (part.strip() for part in before.split(BEGUN_WITH)):
        if not any(earlier in other for other in told):
            told.append(earlier)
    if told == [now]:
        return Provenance(now, (SAME,))
    others = f" {BEGUN_WITH}".join(told[1:])
    return Provenance(f"{now} {BEGUN_WITH}{others}", (OTHER.format(others),))


def may_know(corpus: str, taught: Sequence[str], before: str | None) -> bool:
    """Whether a model begun with may have learnt from people of ``corpus`` whom this run tests.

    It may if it was ever trained on that corpus, unless in the very split of this run. The
    arguments are those of :func:`provenance`.
    """
    elsewhere = before or ""
    for text in taught:
        elsewhere = elsewhere.replace(text, "")
    return corpus in corpora_in(elsewhere)
