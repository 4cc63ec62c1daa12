"""The corpora by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fer_core.data.corpora import cremad, dfew, ferplus, manifest, meld, ravdess
from fer_core.data.item import Corpus
from fer_core.errors import UserError


@dataclass(frozen=True, slots=True)
class CorpusFormat:
    """How one corpus is read."""

    help: str  # one line
    expected: str  # what must lie in its folder
    licence: str
    read: Callable[..., Corpus]
    flags: tuple[str, ...] = ()  # keywords of ``read``


CORPORA: dict[str, CorpusFormat] = {
    "ravdess": CorpusFormat(
        "acted speech (and song), 24 actors, 8 emotions, sound and picture",
        ravdess.EXPECTED,
        ravdess.LICENCE,
        ravdess.read,
        ("song",),
    ),
    "cremad": CorpusFormat(
        "acted speech, 91 actors, 6 emotions, sound and picture",
        cremad.EXPECTED,
        cremad.LICENCE,
        cremad.read,
    ),
    "ferplus": CorpusFormat(
        "35,887 grey faces with the votes of ten people each, 7 emotions",
        ferplus.EXPECTED,
        ferplus.LICENCE,
        ferplus.read,
    ),
    "dfew": CorpusFormat(
        "12,059 film clips, 7 emotions, five folds", dfew.EXPECTED, dfew.LICENCE, dfew.read
    ),
    "meld": CorpusFormat(
        "13,708 utterances of a television series, 7 emotions",
        meld.EXPECTED,
        meld.LICENCE,
        meld.read,
    ),
    "manifest": CorpusFormat(
        "your own recordings, listed in a CSV table",
        manifest.EXPECTED,
        manifest.LICENCE,
        manifest.read,
    ),
}


def read_corpus(name: str, folder: Path, **flags: bool) -> Corpus:
    """What lies in ``folder``, read as the corpus ``name``; flags that are False need not be known.

    Raises:
        UserError: there is no such corpus or folder, or nothing in it can be used.
    """
    if name not in CORPORA:
        raise UserError(f"There is no corpus “{name}”.", f"Choose one of {', '.join(CORPORA)}.")
    kind = CORPORA[name]
    unknown = [flag for flag, given in flags.items() if given and flag not in kind.flags]
    if unknown:
        raise UserError(f"The corpus {name} knows no “{unknown[0]}”.", f"Leave {unknown[0]} out.")
    if not folder.exists():
        raise UserError(f"There is no folder “{folder}”.", f"Expected there: {kind.expected}.")
    if not folder.is_dir() and name != "manifest":
        raise UserError(f"“{folder}” is not a folder.", f"Expected: {kind.expected}.")
    corpus = kind.read(folder, **{flag: given for flag, given in flags.items() if given})
    if not corpus.items:
        reasons = Counter(problem.reason for problem in corpus.problems).most_common(3)
        found = "; ".join(f"{reason}: {count}" for reason, count in reasons)
        raise UserError(
            f"Nothing in “{folder}” can be used as {name}" + (f" ({found})." if found else "."),
            f"Expected there: {kind.expected}.",
        )
    return corpus
