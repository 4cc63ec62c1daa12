"""The table of an ablation: its figures, and how they are shown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from fer_core.data.splits import Fold
from fer_core.evaluation.measurement import SHOWN

Scores = list[dict[str, Any]]  # of one network: an object for each corpus and what of it was shown
FIGURES = ("uar", "war", "f1_macro", "ece")


def table_of(
    corpus: str,
    folds: Sequence[Fold],
    scores: Mapping[str, Sequence[Scores]],
    left_out: Mapping[str, str],
) -> dict[str, Any]:
    """All figures of all rows.

    Args:
        folds: those that are measured in the end.
        scores: of each row by its name, for each fold that is done.
        left_out: rows that these corpora cannot have, and why.
    """
    return {
        "corpus": corpus,
        "folds": [fold.name for fold in folds],
        "descriptions": [fold.description for fold in folds],
        "leaks_speakers": any(fold.leaks_speakers for fold in folds),
        "rows": [{"name": name, "scores": _over_folds(some)} for name, some in scores.items()],
        "left_out": dict(left_out),
    }


def as_text(table: dict[str, Any]) -> str:
    """For a terminal."""
    cells = _cells(table)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_title(table)]
    for name, *values in cells:
        aligned = [value.rjust(width) for value, width in zip(values, widths[1:], strict=True)]
        lines.append("  ".join([name.ljust(widths[0]), *aligned]))
    return "\n".join([*lines, *_left_out(table)])


def as_markdown(table: dict[str, Any]) -> str:
    """For a page."""
    head, *body = _cells(table)
    rule = ["---", *["---:"] * (len(head) - 1)]
    lines = [f"| {' | '.join(line)} |" for line in (head, rule, *body)]
    parts = [f"# {_title(table)}", "\n".join(table["descriptions"]), "\n".join(lines)]
    parts += ["\n".join(f"- {line}" for line in _left_out(table))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _over_folds(folds: Sequence[Scores]) -> Scores:
    """Mean and standard deviation, of each corpus and what of it was shown."""
    grouped: dict[tuple[str, str], Scores] = {}
    for fold in folds:
        for one in fold:
            grouped.setdefault((one["corpus"], one["shown"]), []).append(one)
    rows = []
    for (corpus, shown), some in grouped.items():
        row: dict[str, Any] = {"corpus": corpus, "shown": shown, "n": sum(one["n"] for one in some)}
        for name in FIGURES:
            values = [one[name] for one in some]
            sd = statistics.stdev(values) if len(values) > 1 else None
            row[name] = {"mean": statistics.fmean(values), "sd": sd, "folds": values}
        rows.append(row)
    return rows


def _cells(table: dict[str, Any]) -> list[list[str]]:
    """The UAR of each row; a column for each corpus and what of it was shown."""
    found = {(one["corpus"], one["shown"]) for row in table["rows"] for one in row["scores"]}
    columns = sorted(
        found, key=lambda one: (one[0] != table["corpus"], one[0], SHOWN.index(one[1]))
    )
    several = len({corpus for corpus, _ in columns}) > 1
    cells = [["UAR", *(f"{corpus}, {shown}" if several else shown for corpus, shown in columns)]]
    for row in table["rows"]:
        own = {(one["corpus"], one["shown"]): one["uar"] for one in row["scores"]}
        cells.append([row["name"], *(_cell(own.get(column)) for column in columns)])
    return cells


def _cell(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return "-"
    return f"{figure['mean']:.3f}" + ("" if figure["sd"] is None else f" ± {figure['sd']:.3f}")


def _title(table: dict[str, Any]) -> str:
    warning = "; LEAKS SPEAKERS: says nothing about new people" if table["leaks_speakers"] else ""
    return f"Ablation on {table['corpus']}, {', '.join(table['folds'])}{warning}"


def _left_out(table: dict[str, Any]) -> list[str]:
    return [f"left out: {name}: {why}" for name, why in table["left_out"].items()]
