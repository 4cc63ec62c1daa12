import pytest

from fer_core.errors import UserError
from fer_desktop.playback.stills import shown_after, shown_at

# With what a player has to seek in: an index, or only time stamps.
FILES = [
    ("film.mp4", {}),
    ("film.mkv", {}),
    ("program.mpg", {"codec": "mpeg2video", "gop": 15}),
    ("transport.ts", {"options": {"sc_threshold": "0"}}),
]


@pytest.mark.parametrize(("name", "how"), FILES, ids=[name for name, _ in FILES])
def test_the_picture_at_a_time_and_the_next_are_found_in_any_container(
    write_film, number_on, name, how
):
    path = write_film(name, **how)
    beginning = next(f for t in (0.0, 0.1) if (f := shown_at(path, t)) is not None)
    first_s = beginning.time_s - number_on(beginning.image) / 25
    for number in (1, 20, 49, 50, 62, 74):
        frame = shown_at(path, first_s + number / 25 + 0.01)
        assert number_on(frame.image) == number
        following = shown_after(path, frame.time_s)
        if number == 74:
            assert following is None
        else:
            assert number_on(following.image) == number + 1


def test_where_pictures_come_at_odd_times_each_is_shown_until_the_next(write_film, number_on):
    path = write_film("odd.mkv", times=[0.0, 0.04, 0.5, 0.52, 1.9, 2.0])
    assert [number_on(shown_at(path, t).image) for t in (0.3, 0.51, 1.5, 1.95, 2.5)] == [
        1, 2, 3, 4, 5,
    ]  # fmt: skip
    assert number_on(shown_after(path, 0.04).image) == 2


def test_a_file_that_has_gone_says_so(tmp_path):
    with pytest.raises(UserError, match="There is no file"):
        shown_at(tmp_path / "gone.mp4", 1.0)
