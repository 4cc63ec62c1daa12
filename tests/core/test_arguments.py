from __future__ import annotations

import pytest

from fer_core.arguments import OneLineParser, add_modalities, none_or_more, positive


@pytest.fixture
def parser() -> OneLineParser:
    parser = OneLineParser(prog="fer-x")
    parser.add_argument("--workers", type=positive)
    parser.add_argument("--helpers", type=none_or_more)
    add_modalities(parser, "files")
    return parser


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--workers", "0"], "'0' is no number from 1 on"),
        (["--workers", "2.5"], "'2.5' is no number from 1 on"),
        (["--helpers", "-1"], "-1"),
        (["--modalities", "audio,smell"], "'smell' is none of audio, video"),
        (["--modalities", ""], "'' is none of audio, video"),
        (["--vorkers", "2"], "--vorkers"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_2(
    parser: OneLineParser, wrong: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        parser.parse_args(wrong)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("fer-x: ")
    assert error.count("\n") == 1


def test_both_modalities_are_used_unless_one_is_named(parser: OneLineParser) -> None:
    assert parser.parse_args([]).modalities == ("audio", "video")
    assert parser.parse_args(["--modalities", "video"]).modalities == ("video",)
    assert parser.parse_args(["--modalities", "video,audio,video"]).modalities == ("video", "audio")
