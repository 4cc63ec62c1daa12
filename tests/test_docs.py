"""What README and docs say a reader can click, type or press is there."""

from __future__ import annotations

import argparse
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

import pytest

from benchmarks.__main__ import parser as benchmarks_parser
from benchmarks.accuracy import parser as accuracy_parser
from fer_core.analysis.command_line import parser as analyze_parser
from fer_core.training.command_line import parser as train_parser
from fer_core.training.config import RunConfig, read_values
from fer_desktop.command_line import parse_arguments
from fer_desktop.ui.commands import COMMANDS

ROOT = Path(__file__).parents[1]
HISTORY = ("CHANGELOG.md", "decisions.md")  # tell what once was
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "resources").rglob("*.md")),
]
LIVING = [page for page in PAGES if page.name not in HISTORY]
SECTIONS = (*vars(RunConfig()), *vars(RunConfig().model))
SETTING = re.compile(
    rf"`(?:--set )?((?:{'|'.join(SECTIONS)})\.(?!safetensors)[a-z_.]+)(?:(?:=|: )([^`]+))?`"
)
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))

PARSERS: dict[str, Callable[[list[str]], object]] = {
    "fer-desktop": parse_arguments,
    "fer-analyze": analyze_parser().parse_args,
    "train.py": train_parser().parse_args,
    "benchmarks": benchmarks_parser().parse_args,
    "benchmarks.accuracy": accuracy_parser().parse_args,
}
CALL = re.compile(rf"(?:^|[\s/`])({'|'.join(map(re.escape, PARSERS))}) ((?:[^`\s#]| (?! ))+)")


def commands_of(text: str) -> Iterator[tuple[str, list[str]]]:
    """Program and arguments of each call with options in ``text``.

    Two spaces separate it from what is said of it in the same line.
    """
    for match in CALL.finditer(text.replace("\\\n ", "")):
        program, rest = match.groups()
        if " -" in f" {rest}" and "--help" not in rest:
            rest = rest.replace("--corpus ...", "--corpus ravdess").replace("[cluster]", "")
            yield program, shlex.split(rest)


CALLS = [
    pytest.param(program, arguments, id=f"{page.name}: {program} {' '.join(arguments)}")
    for page in [*LIVING, *CONFIGS]
    for program, arguments in commands_of(page.read_text(encoding="utf-8"))
]


def test_there_are_commands_to_check() -> None:
    assert len(CALLS) > 40


@pytest.mark.parametrize(("program", "arguments"), CALLS)
def test_every_command_is_understood(
    program: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip.mp4").touch()
    (tmp_path / "runs" / "both" / "model").mkdir(parents=True)
    try:
        PARSERS[program](arguments)
    except SystemExit:  # prose may leave out what a command needs, but not invent what it has not
        assert "arguments are required" in capsys.readouterr().err
        commands = list(takewhile(lambda word: not word.startswith("-"), arguments))
        with suppress(SystemExit):
            PARSERS[program]([*commands, "--help"])
        known = capsys.readouterr().out
        assert all(word in known for word in arguments if word.startswith("--"))


def complaint_about(change: str) -> str:
    try:
        RunConfig.from_values(read_values(None, [change]))
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("page", LIVING, ids=lambda path: path.name)
def test_settings_are_named_as_set_takes_them(page: Path) -> None:
    for name, value in SETTING.findall(page.read_text(encoding="utf-8")):
        complaint = complaint_about(f"{name}={value or 'null'}")
        # Where no value is told, none need not be one, but the name must be known.
        assert not re.search("." if value else "unknown|no stage", complaint), complaint


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.name)
def test_a_configurations_command_is_of_itself(config: Path) -> None:
    (line,) = re.findall(r"#   command: (.*)", config.read_text(encoding="utf-8"))
    (_, arguments), *others = commands_of(line)
    assert not others
    options = PARSERS["train.py"](arguments)
    assert isinstance(options, argparse.Namespace)
    assert ROOT / options.config == config


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if target.startswith("http"):
            continue
        place = page.parent / path if path else page
        assert place.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", place.read_text(encoding="utf-8"), re.MULTILINE)
            made = [re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings]
            assert anchor in made, target


@pytest.mark.parametrize("page", LIVING, ids=lambda path: path.name)
def test_keys_are_the_windows_own(page: Path) -> None:
    keys = {key for command in COMMANDS for key in command.keys} | {"Ctrl+C"}  # the terminal's
    told = re.findall(r"\b(?:(?:Ctrl|Shift)[+-])+[A-Z,]|\bF\d{1,2}\b", page.read_text("utf-8"))
    assert {key.replace("-", "+") for key in told} <= keys


@pytest.mark.parametrize("page", LIVING, ids=lambda path: path.name)
def test_targets_of_make_are_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE)
    assert set(told) <= targets


def test_every_library_has_its_licence_in_the_notice() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8").lower()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [name for extra in project["optional-dependencies"].values() for name in extra]
    for requirement in [*project["dependencies"], *extras]:
        (name,) = re.findall(r"^[\w-]+", requirement)
        name = name.lower().replace("opencv-contrib-python", "-contrib")
        assert re.search(rf"(?<![\w]){re.escape(name)}\b", notice), name


def test_every_part_of_the_program_is_in_the_readmes_tree() -> None:
    tree = (ROOT / "README.md").read_text(encoding="utf-8").rsplit("```", 2)[1]
    for package in ("fer_core", "fer_desktop"):
        for folder in (ROOT / package).iterdir():
            if (folder / "__init__.py").exists():
                assert f"  {folder.name}/ " in tree, folder
