"""The corpora by name: what is said of each, to people and in the model card.

A corpus is an entry here, and a module of its name beside this one, whose ``read`` makes a
:class:`Corpus` of a folder. It is imported when it is used: a window shows the names.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from fer_core.data.item import Corpus
from fer_core.errors import UserError


@dataclass(frozen=True, slots=True)
class CorpusFormat:
    """What is known of a corpus before it is read; each text is one line."""

    title: str
    help: str
    expected: str  # what must lie in its folder
    licence: str
    limits: str | None  # what a model cannot have learnt from it; None: only its owner knows
    flags: tuple[str, ...] = ()  # keywords of its ``read``


CORPORA: dict[str, CorpusFormat] = {
    "manifest": CorpusFormat(
        title="My own recordings",
        help="your own recordings: a table (CSV) with columns path, emotion, speaker",
        expected="a table (CSV) with the columns path, emotion and speaker, "
        "or a folder that holds one",
        licence="not stated",
        limits=None,
    ),
    "ravdess": CorpusFormat(
        title="RAVDESS",
        help="acted speech (and song), 24 actors, 8 emotions, sound and picture",
        expected="files named like 03-01-06-01-02-01-12.wav or 01-01-06-01-02-01-12.mp4, "
        "in any folder",
        licence="CC BY-NC-SA 4.0",
        limits="acted speech, two sentences, 24 North American actors, one studio.",
        flags=("song",),
    ),
    "cremad": CorpusFormat(
        title="CREMA-D",
        help="acted speech, 91 actors, 6 emotions, sound and picture",
        expected="files named like 1001_DFA_ANG_XX.flv, .mp4 or .wav, in any folder",
        licence="ODbL 1.0",
        limits="acted speech, twelve sentences, 91 actors of one country, one studio.",
    ),
    "ferplus": CorpusFormat(
        title="FER+",
        help="35,887 grey faces with the votes of ten people each, 7 emotions",
        expected="ferplus_train*.npz, ferplus_valid.npz or ferplus_test.npz; "
        "or fer2013new.csv and the pictures in FER2013Train, FER2013Valid and FER2013Test",
        licence="votes: MIT; pictures of FER2013: research use",
        limits="grey pictures of 48 by 48 pixels from a web search; nobody knows of whom. "
        "Neutral and calm faces are told apart by no label.",
    ),
    "dfew": CorpusFormat(
        title="DFEW",
        help="12,059 film clips, 7 emotions, five folds",
        expected="the tables “test(single-labeled)/set_1.csv” to “set_5.csv” or annotation.csv, "
        "and clips named by their number, such as Clip/original/part_1/1.mp4 or "
        "Clip/clip_224x224_16f/00001/*.jpg",
        licence="research use, by agreement with its authors",
        limits="scenes of films, so acted.",
    ),
    "meld": CorpusFormat(
        title="MELD",
        help="13,708 utterances of a television series, 7 emotions",
        expected="train_sent_emo.csv, dev_sent_emo.csv or test_sent_emo.csv, "
        "and videos such as train_splits/dia0_utt0.mp4",
        licence="GPL-3.0 for the annotation; the videos belong to their makers",
        limits="scenes of one comedy series, with its audience's laughter.",
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
    module = import_module(f"{__package__}.{name}")
    corpus: Corpus = module.read(folder, **{flag: given for flag, given in flags.items() if given})
    if not corpus.items:
        reasons = Counter(problem.reason for problem in corpus.problems).most_common(3)
        found = "; ".join(f"{reason}: {count}" for reason, count in reasons)
        raise UserError(
            f"Nothing in “{folder}” can be used as {name}" + (f" ({found})." if found else "."),
            f"Expected there: {kind.expected}.",
        )
    return replace(corpus, licence=kind.licence)
