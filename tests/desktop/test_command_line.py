import subprocess
import sys

import pytest

from fer_core import __version__
from fer_desktop.command_line import parse_arguments


def test_no_options_leave_every_choice_to_the_settings():
    options = parse_arguments([])
    assert not options.demo
    assert (options.camera, options.microphone, options.model, options.device) == (None,) * 4


@pytest.mark.parametrize(
    "arguments",
    [
        ["--exit-after", "soon"],
        ["--exit-after", "-1"],
        ["--exit-after", "nan"],
        ["--device", "tpu"],
        ["--model", "/no/such/folder"],
        ["--screenshot", "window.txt"],
        ["--report", "/"],
        ["--demo", "--camera", "0"],
        ["/no/such/film.mp4"],
        ["pyproject.toml", "--demo"],
        ["--camera", "none", "--microphone", "none"],
        ["--colour"],
    ],
    ids=" ".join,
)
def test_a_wrong_value_gets_one_line_and_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        parse_arguments(arguments)
    assert exit_.value.code == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("fer-desktop: ")


def test_version_names_the_program(capsys):
    with pytest.raises(SystemExit) as exit_:
        parse_arguments(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"fer-desktop {__version__}\n"


def test_help_loads_neither_qt_nor_torch():
    code = (
        "import sys\n"
        "from fer_desktop.command_line import parse_arguments\n"
        "try: parse_arguments(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'PySide6', 'torch', 'cv2', 'numpy'} & sys.modules.keys()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--exit-after SECONDS" in done.stdout


def test_a_model_folder_is_meant_from_where_the_program_was_started(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    assert parse_arguments(["--model", "mine"]).model == tmp_path / "mine"


@pytest.mark.parametrize("option", [(), ("--model",), ("--report",), ("--record",)])
@pytest.mark.parametrize("text", ["x" * 300, "~nobody-has-this-name/x"])
def test_a_path_the_system_refuses_gets_one_line(option, text, capsys):
    with pytest.raises(SystemExit) as ended:
        parse_arguments([*option, text])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be used" in line
