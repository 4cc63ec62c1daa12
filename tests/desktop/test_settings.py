from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_desktop.settings import (
    Settings,
    load_settings,
    put_aside,
    recordings_folder,
    save_settings,
    settings_path,
)

CHANGED = Settings(
    agreed=True,
    theme="light",
    camera="/dev/video2",
    microphone="Blue Yeti",
    mode="microphone",
    smoothing=0.25,
    mirror=False,
    show_face=False,
    show_patches=False,
    show_emotion=False,
    volume=0.25,
    model="/models/mine",
    device="cpu",
    recordings="/recordings",
)


def test_every_setting_that_is_saved_comes_back(tmp_path: Path) -> None:
    usual = vars(Settings())
    assert not [name for name, value in vars(CHANGED).items() if value == usual[name]]
    path = tmp_path / "new folder" / "settings.json"
    save_settings(CHANGED, path)
    assert load_settings(path) == CHANGED


def test_without_a_folder_the_bundled_model_answers() -> None:
    assert CHANGED.model_folder == Path("/models/mine")
    assert Settings().model_folder is None
    assert Settings(model="").model_folder is None


def test_no_file_gives_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.json") == Settings()


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"theme": ', "\x00\x01", "[" * 100_000])
def test_a_damaged_file_costs_the_settings_and_not_the_start(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text, encoding="utf-8")
    assert load_settings(path) == Settings()


def test_bytes_that_are_no_text_give_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(b"\xff\xfe\x80")
    assert load_settings(path) == Settings()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("theme", "purple"),
        ("theme", ["dark"]),
        ("mode", 3),
        ("smoothing", 1.5),
        ("smoothing", True),
        ("volume", float("nan")),
        ("volume", 10**400),
        ("mirror", "yes"),
        ("camera", 0),
        ("invented", 1),
    ],
)
def test_one_wrong_value_falls_back_alone(tmp_path: Path, key: str, value: object) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"device": "cpu", key: value}), encoding="utf-8")
    assert load_settings(path) == Settings(device="cpu")


def test_what_cannot_be_put_aside_stays(tmp_path: Path) -> None:
    assert put_aside(tmp_path / "none.json") is None
    folder = tmp_path / "settings.json"
    folder.mkdir()
    assert put_aside(folder) is None
    assert folder.is_dir()


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "settings.json"
    save_settings(CHANGED, path)

    def full(*_args: object, **_kwargs: object) -> int:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="disk full"):
        save_settings(Settings(), path)
    assert load_settings(path) == CHANGED


def test_a_crash_before_all_is_written_leaves_the_old_file(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "settings.json"
    save_settings(CHANGED, path)

    def killed(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        save_settings(Settings(), path)
    assert load_settings(path) == CHANGED


def test_tests_do_not_touch_the_users_own_settings(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FER_DESKTOP_SETTINGS", str(tmp_path / "mine.json"))
    assert settings_path() == tmp_path / "mine.json"


def test_recordings_go_to_the_documents_or_where_people_say() -> None:
    assert recordings_folder(Settings()).name == "Emotion recordings"
    assert recordings_folder(Settings(recordings="~/mine")) == Path.home() / "mine"
