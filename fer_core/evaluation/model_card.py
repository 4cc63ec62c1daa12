"""The model card: who the model was trained on, how well it does, and what it must not be used for.

M. Mitchell et al., "Model Cards for Model Reporting", FAT* 2019. It is written from
:class:`CardFacts`: every number in it was measured, and what was not is said to be missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fer_core.data.corpora.registry import CORPORA
from fer_core.evaluation.card_facts import CardFacts, Part
from fer_core.evaluation.measurement import SHOWN, Measurement, Trial

LEAKS = (
    "**This split leaks speakers: scores on it say nothing about people the model does not know.**"
)


def model_card(facts: CardFacts) -> str:
    """The card as Markdown."""
    sections = [
        _head(facts),
        _data(facts),
        _scores(facts),
        *(_details(measurement) for measurement in facts.measurements),
        _calibration(facts),
        _limits(facts),
        _reproduction(facts),
    ]
    return "\n".join("\n".join(section) + "\n" for section in sections)


def _head(facts: CardFacts) -> list[str]:
    return [
        f"# {facts.name}",
        "",
        "Emotion of a face and a voice, for a window of 3 s and for each of its 8 segments, as one "
        "of neutral, calm, happy, sad, angry, fearful, disgust and surprised. "
        f"{facts.parameters:,} parameters.",
        "",
        f"Licence of the weights: {facts.licence or 'not stated'}.",
    ]


def _data(facts: CardFacts) -> list[str]:
    lines = ["## Data", ""]
    if not facts.corpora:
        return [*lines, "What it was trained on was not recorded."]
    lines += _table(
        ("corpus", "licence", "split", "train", "validation", "test"),
        (
            (use.name, use.licence, use.split, *map(_size, (use.train, use.validation, use.test)))
            for use in facts.corpora
        ),
    )
    for use in facts.corpora:
        lines += ["", f"**{use.name}**: {use.description}"]
        if use.leaks_speakers:
            lines += ["", LEAKS]
        parts = (("Train", use.train), ("Validation", use.validation), ("Test", use.test))
        lines += [""] + [f"- {name}: {_people(part)}" for name, part in parts]
    return lines


def _scores(facts: CardFacts) -> list[str]:
    lines = ["## Scores", ""]
    if facts.measurements:
        lines += [
            "UAR is the mean of the recalls (balanced accuracy), WAR the share of all that is "
            "right; in brackets 95 % bootstrap intervals. ECE is the expected calibration error, "
            "in 15 bins, of the probabilities that the model gives; in brackets what so few "
            "answers would have by chance if every probability were true.",
            "",
            *_table(
                (
                    "corpus",
                    "split",
                    "shown",
                    "items",
                    "people",
                    "UAR",
                    "WAR",
                    "ECE",
                    "intervals over",
                ),
                (_score_row(measurement) for measurement in facts.measurements),
            ),
        ]
        lines.append("")
    shown = {measurement.trial.shown for measurement in facts.measurements}
    if missing := [how for how in SHOWN if how not in shown]:
        lines.append(f"Not measured: {', '.join(missing)}.")
    if any(own.trial.leaks_speakers for own in facts.measurements):
        lines += ["", f"† {LEAKS}"]
    lines += _picture("Confusion matrix of the first line", facts.confusion_picture)
    lines += _picture("Training curves", facts.history_picture)
    return lines


def _score_row(measurement: Measurement) -> tuple[str, ...]:
    scores, intervals = measurement.scores, measurement.intervals
    return (
        *_trial(measurement.trial),
        str(scores.n) + (f", {scores.unanswered} unanswered" if scores.unanswered else ""),
        str(scores.speakers) if scores.speakers else "not known",
        f"{scores.uar:.3f} [{intervals.uar.low:.3f}, {intervals.uar.high:.3f}]",
        f"{scores.war:.3f} [{intervals.war.low:.3f}, {intervals.war.high:.3f}]",
        f"{scores.ece:.3f} (by chance {scores.ece_by_chance:.3f})",
        f"{intervals.units} {intervals.over}",
    )


def _trial(trial: Trial) -> tuple[str, str, str]:
    return trial.corpus, trial.split + (" †" if trial.leaks_speakers else ""), trial.shown


def _details(measurement: Measurement) -> list[str]:
    scores, segments, trial = measurement.scores, measurement.segments, measurement.trial
    lines = [
        f"### {trial.corpus}, {trial.split}, {trial.shown}",
        "",
        trial.description,
        "",
        *_table(
            ("emotion", "items", "recall", "precision", "F1"),
            (
                (label, str(own.n), _share(own.recall), _share(own.precision), _share(own.f1))
                for label, own in scores.per_class.items()
            ),
        ),
        "",
        "By sex of the speaker:",
        "",
    ]
    if measurement.by_sex:
        lines += _table(
            ("sex", "items", "people", "UAR", "WAR"),
            (
                (sex, str(own.n), str(own.speakers), _share(own.uar), _share(own.war))
                for sex, own in measurement.by_sex.items()
            ),
        )
    else:
        lines.append("Not known of these items.")
    if segments is not None:
        lines += ["", "Answers of the segments, by their place in the window:", ""]
        lines += _table(
            ("segment", "answers", "UAR", "WAR", "ECE"),
            (
                (name, "0", "-", "-", "-")
                if own is None
                else (name, str(own.n), _share(own.uar), _share(own.war), _share(own.ece))
                for name, own in (
                    *((str(place), own) for place, own in enumerate(segments.by_position, 1)),
                    ("all", segments.overall),
                )
            ),
        )
    return lines


def _calibration(facts: CardFacts) -> list[str]:
    lines = ["## Calibration", ""]
    found = facts.calibration
    if found is None:
        lines.append(
            "Temperatures are those of the model that training began with; after it, the "
            "probabilities were not calibrated."
            if facts.calibrated_before
            else "The probabilities were not calibrated."
        )
    else:
        lines += [
            "Temperature scaling (Guo et al. 2017), for windows and segments, each by what was "
            f"present. Found on: {facts.calibrated_on or 'not recorded'}.",
            "",
            *_table(
                ("answer", "present", "answers", "temperature", "ECE before", "ECE after"),
                (
                    (answer, present, "too few", _kept(before[present]), "-", "-")
                    if fit is None
                    else (
                        answer,
                        present,
                        str(fit.answers),
                        f"{fit.temperature:.2f}",
                        _share(fit.before.ece),
                        _share(fit.after.ece),
                    )
                    for answer, fits, before in (
                        ("window", found.clip.fits, vars(found.before.clip)),
                        ("segment", found.segment.fits, vars(found.before.segment)),
                    )
                    for present, fit in fits.items()
                ),
            ),
        ]
    if facts.uncertain_below is not None:
        lines += [
            "",
            "An answer is shown as “uncertain” where its largest probability is under "
            f"{facts.uncertain_below}.",
        ]
    return lines + _picture("Reliability before and after", facts.reliability_picture)


def _kept(temperature: float) -> str:
    return "1" if temperature == 1 else f"{temperature:.2f}, as before this training"


def _limits(facts: CardFacts) -> list[str]:
    learnt = [CORPORA[name] for name in dict.fromkeys(use.name for use in facts.corpora)]
    own = [f"{kind.title}: {kind.limits}" for kind in learnt if kind.limits]
    return [
        "## Use and limits",
        "",
        "For research into, and demonstration of, how faces and voices look and sound. The model "
        "guesses which expression people would name; it does not tell what a person feels, thinks "
        "or intends, and nothing may be decided about a person by it. In the European Union, "
        "inferring emotions of people at work or in education is prohibited except for medical or "
        "safety reasons (Regulation (EU) 2024/1689, Article 5(1)(f)).",
        "",
        *(f"- {limit}" for limit in (*own, *facts.notes)),
        "- People, languages, rooms, cameras and microphones unlike those above: not measured.",
    ]


def _reproduction(facts: CardFacts) -> list[str]:
    lines = ["## How to reproduce", ""]
    if facts.command is None:
        lines.append("The command was not recorded.")
    else:
        lines += ["```", facts.command, "```"]
    return [*lines, "", f"Machine and time: {facts.machine or 'not recorded'}."]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _picture(what: str, file: str | None) -> list[str]:
    return [] if file is None else ["", f"![{what}]({file})"]


def _size(part: Part) -> str:
    if not part.items:
        return "none"
    who = {0: "people not known", 1: "1 person"}.get(len(part.people), f"{len(part.people)} people")
    return f"{part.items:,} items, {who}"


def _people(part: Part) -> str:
    if not part.items:
        return "nobody"
    known = ", ".join(part.people)
    unknown = f"of {part.unknown:,} items it is not known who is in them" if part.unknown else ""
    return "; ".join(filter(None, (known, unknown)))


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
