"""The words that corpora and people use for the eight emotions."""

from __future__ import annotations

from collections.abc import Iterable

from fer_core.data.item import EACH_ALONE, NEUTRAL_OR_CALM, Groups, Shares
from fer_core.labels import CLASSES, EMOTIONS

_SYNONYMS = {
    "neutral": ("neutrality", "neu"),
    "calm": ("calmness", "relaxed"),
    "happy": ("happiness", "joy", "joyful", "hap"),
    "sad": ("sadness",),
    "angry": ("anger", "ang"),
    "fearful": ("fear", "afraid", "scared", "fea"),
    "disgust": ("disgusted", "dis"),
    "surprised": ("surprise", "sur"),
}

EMOTION_OF: dict[str, int] = {
    word: EMOTIONS.index(emotion)
    for emotion, synonyms in _SYNONYMS.items()
    for word in (emotion, *synonyms)
}


def emotion_of(word: str) -> int | None:
    """The emotion that ``word`` means in any case; None: none of the eight."""
    return EMOTION_OF.get(word.strip().casefold())


def groups_of(tells_calm: bool) -> Groups:
    """Where nothing is ever called calm, “neutral” means neutral or calm."""
    return EACH_ALONE if tells_calm else NEUTRAL_OR_CALM


def shares_of(votes: Iterable[tuple[int, float]], groups: Groups) -> Shares:
    """Emotions and their votes as shares; within a group all go to its first emotion.

    Raises:
        ValueError: there is no vote, or less than none.
    """
    counts = [0.0] * CLASSES
    for emotion, vote in votes:
        if not 0 <= vote < float("inf"):
            raise ValueError("a number of votes below 0")
        counts[groups[emotion]] += vote
    total = sum(counts)
    if total == 0:
        raise ValueError("no votes")
    return tuple(count / total for count in counts)
