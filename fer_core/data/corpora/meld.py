"""MELD: 13,708 utterances from the series “Friends”, with seven emotions.

    train_sent_emo.csv, dev_sent_emo.csv, test_sent_emo.csv
                        columns Utterance, Speaker, Emotion, Dialogue_ID, Utterance_ID
    train_splits/dia0_utt0.mp4, dev_splits_complete/..., output_repeated_splits_test/...

A video belongs to the part that its nearest folder named after one says. Emotions: anger, disgust,
fear, joy, neutral (or calm), sadness, surprise. The six friends speak in all three parts.

S. Poria et al.: MELD: A Multimodal Multi-Party Dataset for Emotion Recognition in Conversations,
ACL 2019.
"""

from __future__ import annotations

import re
from pathlib import Path

from fer_core.data.corpora.emotion_names import emotion_of
from fer_core.data.corpora.folders import (
    SOUND_SUFFIXES,
    VIDEO_SUFFIXES,
    first_of_each,
    located_rows,
    media_files,
)
from fer_core.data.item import NEUTRAL_OR_CALM, Corpus, Item, OfficialSplit, Problem, one_emotion

_PARTS: dict[str, OfficialSplit] = {"train": "train", "dev": "valid", "test": "test"}
_NAME = re.compile(r"dia(\d+)_utt(\d+)")

Utterance = tuple[str, int, int]  # part, dialogue, utterance


def read(folder: Path) -> Corpus:
    """All utterances that have a row and a file."""
    problems: list[Problem] = []
    files = _files(folder, problems)
    items: dict[str, Item] = {}
    for part, split in _PARTS.items():
        for table in sorted(folder.rglob(f"{part}_sent_emo.csv")):
            for where, row in located_rows(folder, table, problems):
                dialogue, utterance = row.get("dialogue_id", ""), row.get("utterance_id", "")
                emotion = emotion_of(row.get("emotion", ""))
                key = f"{part}/dia{dialogue}_utt{utterance}"
                reason = None
                if not (dialogue.isdecimal() and utterance.isdecimal()):
                    key, reason = where, "no dialogue or utterance number"
                elif emotion is None:
                    reason = "unknown emotion"
                elif (path := files.get((part, int(dialogue), int(utterance)))) is None:
                    reason = "no such video"
                elif key in items:
                    reason = "listed twice"
                else:
                    items[key] = Item(
                        key=key,
                        path=path,
                        kind="recording",
                        has_sound=True,
                        has_picture=path.suffix.lower() in VIDEO_SUFFIXES,
                        shares=one_emotion(emotion),
                        groups=NEUTRAL_OR_CALM,
                        speaker=row.get("speaker") or None,
                        official_split=split,
                    )
                if reason is not None:
                    problems.append(Problem(key, reason))
    return Corpus("meld", folder, tuple(items.values()), tuple(problems))


def _files(folder: Path, problems: list[Problem]) -> dict[Utterance, Path]:
    named = []
    for path in media_files(folder, VIDEO_SUFFIXES | SOUND_SUFFIXES, problems):
        # The test folder also holds “final_videos_testdia0_utt0.mp4”, copies that no row names.
        if _NAME.fullmatch(path.stem) and _part(folder, path):
            named.append(path)
    # A video before its extracted sound.
    named.sort(key=lambda path: path.suffix.lower() not in VIDEO_SUFFIXES)

    def utterance_and_suffix(path: Path) -> tuple[Utterance, str]:
        name = _NAME.fullmatch(path.stem)
        assert name is not None
        return (_part(folder, path), int(name[1]), int(name[2])), path.suffix.lower()

    files: dict[Utterance, Path] = {}
    for (utterance, _), path in first_of_each(
        folder, named, utterance_and_suffix, problems
    ).items():
        files.setdefault(utterance, path)
    return files


def _part(folder: Path, path: Path) -> str:
    """“train”, “dev” or “test”, by the nearest folder that says so; “” where none does."""
    for name in reversed(path.relative_to(folder).parts[:-1]):
        for part in _PARTS:
            if part in name.lower():
                return part
    return ""
