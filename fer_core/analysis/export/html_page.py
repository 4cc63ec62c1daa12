"""A timeline as one HTML file that needs no other: chart, answer, thumbnails, tables, the model."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path

from fer_core.analysis.export.chart import as_png
from fer_core.analysis.export.cues import clock, cues_of, note_of
from fer_core.analysis.peaks import Peak, peaks_of
from fer_core.analysis.thumbnails import SIDE, as_jpeg, thumbnail
from fer_core.analysis.timeline import Timeline
from fer_core.prediction import by_label

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
img { max-width: 100% } table { border-collapse: collapse }
td, th { padding: .2rem 1rem .2rem 0; text-align: left; border-bottom: 1px solid #ccc }
pre { white-space: pre-wrap; background: #f4f4f4; padding: 1rem }
figure { display: inline-block; margin: 0 .5rem .5rem 0 } figcaption { font-size: .8rem }
"""


def as_html(timeline: Timeline) -> bytes:
    source, model = timeline.source, timeline.model
    title = escape(Path(source.path).name)
    chart = base64.b64encode(as_png(timeline)).decode()
    shares = {} if timeline.probabilities is None else by_label(timeline.probabilities)
    parts = [
        f"<h1>{title}</h1>",
        f"<p>{clock(source.duration_s, '.')} long; a face was seen for {timeline.face_s:.1f} s, "
        f"somebody spoke for {timeline.speech_s:.1f} s.</p>",
        *(f"<p><strong>Warning:</strong> {escape(text)}</p>" for text in timeline.warnings),
        f'<img alt="Emotions over time" src="data:image/png;base64,{chart}">',
        f"<h2>The whole file: {timeline.emotion or 'nothing was heard or seen'}</h2>",
        _table(("emotion", "probability"), [(e, f"{p:.1%}") for e, p in shares.items()]),
        *_moments(timeline),
        *_markers(timeline),
        "<h2>Over time</h2>",
        _table(
            ("from", "to", "emotion"),
            [
                (clock(cue.start_s, "."), clock(cue.end_s, "."), cue.text)
                for cue in cues_of(timeline.segments)
            ],
        ),
        "<p>“?” marks what the model is not certain of. Predictions are guesses about expressions; "
        "they do not tell what a person feels.</p>",
        "<h2>The model</h2>",
        f"<p>{escape(model.name)} (preset {escape(model.preset)}), SHA-256 {model.sha256}; "
        f"a window every {timeline.hop_s:g} s.</p>",
        f"<pre>{escape(model.card)}</pre>" if model.card else "",
    ]
    page = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )
    return page.encode(errors="backslashreplace")


def _moments(timeline: Timeline) -> list[str]:
    """Pictures of where each emotion is shown most clearly."""
    if timeline.source.video is None or timeline.joined:
        return []
    shown = [_figure(Path(timeline.source.path), peak) for peak in peaks_of(timeline.segments)]
    found = [figure for figure in shown if figure]
    return ["<h2>The clearest moments</h2>", *found] if found else []


def _figure(path: Path, peak: Peak) -> str:
    picture = thumbnail(path, peak.time_s, peak.face)
    if picture is None:  # the file has gone since
        return ""
    told = f"{clock(peak.time_s, '.')} {peak.emotion} {peak.probability:.0%}"
    coded = base64.b64encode(as_jpeg(picture)).decode()
    image = f'<img alt="{told}" width="{SIDE}" src="data:image/jpeg;base64,{coded}">'
    return f"<figure>{image}<figcaption>{told}</figcaption></figure>"


def _markers(timeline: Timeline) -> list[str]:
    rows: list[tuple[str, ...]] = [(clock(m.time_s, "."), note_of(m)) for m in timeline.markers]
    return ["<h2>Markers</h2>", _table(("at", "note"), rows)] if rows else []


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    def row(cells: tuple[str, ...], kind: str) -> str:
        return "<tr>" + "".join(f"<{kind}>{escape(c)}</{kind}>" for c in cells) + "</tr>"

    return "<table>" + row(head, "th") + "".join(row(cells, "td") for cells in rows) + "</table>"
