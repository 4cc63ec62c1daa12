from __future__ import annotations

from pathlib import Path

from fer_core.analysis.timeline import ModelUsed, Source, Timeline
from fer_desktop.playback import kept_timelines
from fer_desktop.playback.kept_timelines import KeptTimelines


def test_the_newest_is_kept_and_before_it_as_many_as_there_is_room_for(
    make_segments, monkeypatch
) -> None:
    monkeypatch.setattr(kept_timelines, "MOST_SEGMENTS", 5)
    a, b, c = Path("a.mp4"), Path("b.mp4"), Path("c.mp4")

    def timeline(segments: int) -> Timeline:
        source = Source("", "", 3.0, None, None)
        found = tuple(make_segments(*[1] * segments))
        return Timeline(source, ModelUsed("m", "tiny", ""), 0.375, found, None, ())

    kept = KeptTimelines()
    kept.keep(a, timeline(2))
    kept.keep(b, timeline(2))
    again = timeline(2)
    kept.keep(a, again)
    assert kept.of(a) is again
    kept.keep(c, timeline(2))
    assert kept.of(b) is None, "the one kept longest ago"
    assert kept.of(a) is again
    kept.keep(b, timeline(9))
    assert [kept.of(path) is not None for path in (a, b, c)] == [False, True, False]
    kept.clear()
    assert kept.of(b) is None
