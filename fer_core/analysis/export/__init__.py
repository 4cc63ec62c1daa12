"""A timeline as a file: the formats, in one table. What writes each is imported when it is used."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.whole_file import write_whole

if TYPE_CHECKING:
    from fer_core.analysis.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Format:
    title: str
    tip: str  # what is in the file, and for whom
    # Module of this package and its function, of a timeline to bytes. None: the file itself, with
    # results drawn into its picture, which ``overlay_video`` writes bit by bit.
    exporter: str | None


# By name, which is also the suffix of its files.
FORMATS: dict[str, Format] = {
    "csv": Format("Table (CSV)", "A row for each segment, for spreadsheets", "csv_table:as_csv"),
    "json": Format("Everything (JSON)", "All that is known, for programs", "json_document:as_json"),
    "srt": Format(
        "Subtitles (SRT)", "The emotions as subtitles that any player shows", "srt:as_srt"
    ),
    "vtt": Format("Subtitles (WebVTT)", "The emotions as subtitles for the web", "vtt:as_vtt"),
    "png": Format("Chart (PNG)", "The emotions over time as a picture", "chart:as_png"),
    "svg": Format("Chart (SVG)", "The emotions over time as a drawing", "chart:as_svg"),
    "html": Format(
        "Report (HTML)",
        "Chart, table, thumbnails and the model's card in one page",
        "html_page:as_html",
    ),
    "mp4": Format(
        "Video (MP4)", "The file with the results drawn on its picture; takes a while", None
    ),
}
(OVERLAY,) = (name for name, kind in FORMATS.items() if kind.exporter is None)


def as_bytes(timeline: Timeline, format_name: str) -> bytes:
    """``timeline`` in a format of :data:`FORMATS` other than :data:`OVERLAY`.

    Raises:
        ValueError: there is no such format.
    """
    kind = FORMATS.get(format_name)
    if kind is None or kind.exporter is None:
        raise ValueError(f"no format {format_name!r}; there are {', '.join(FORMATS)}")
    module, function = kind.exporter.split(":")
    written: bytes = getattr(import_module(f"{__name__}.{module}"), function)(timeline)
    return written


def export(timeline: Timeline, path: Path) -> None:
    """Write ``timeline`` as what the suffix of ``path`` names, by rename.

    Raises:
        UserError: the folder cannot be written.
        ValueError: there is no such format.
    """
    write_whole(as_bytes(timeline, path.suffix.removeprefix(".")), path)
