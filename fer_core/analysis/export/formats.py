"""The formats by name; each is also the suffix of its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fer_core.analysis.export.chart import as_png, as_svg
from fer_core.analysis.export.csv_table import as_csv
from fer_core.analysis.export.html_page import as_html
from fer_core.analysis.export.json_document import as_json
from fer_core.analysis.export.srt import as_srt
from fer_core.analysis.export.vtt import as_vtt
from fer_core.analysis.timeline import Timeline
from fer_core.whole_file import write_whole

EXPORTERS: dict[str, Callable[[Timeline], bytes]] = {
    "csv": as_csv,
    "json": as_json,
    "srt": as_srt,
    "vtt": as_vtt,
    "png": as_png,
    "svg": as_svg,
    "html": as_html,
}


def export(timeline: Timeline, path: Path) -> None:
    """Write ``timeline`` as what the suffix of ``path`` names, by rename.

    Raises:
        UserError: the folder cannot be written.
        ValueError: there is no such format.
    """
    format_name = path.suffix.removeprefix(".")
    if format_name not in EXPORTERS:
        raise ValueError(f"no format {format_name!r}; there are {', '.join(EXPORTERS)}")
    write_whole(EXPORTERS[format_name](timeline), path)
