from __future__ import annotations

import builtins
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from fer_core.errors import UserError
from fer_desktop.capture import devices, microphone
from fer_desktop.capture.microphone import PortAudioMicrophone, find_input

QUIET = SimpleNamespace(input_overflow=False)
LOST = SimpleNamespace(input_overflow=True)


def times(heard: float, now: float) -> SimpleNamespace:
    return SimpleNamespace(inputBufferAdcTime=heard, currentTime=now)


@pytest.fixture
def opened() -> PortAudioMicrophone:
    """A microphone whose callback is called by the test instead of PortAudio."""
    microphone = PortAudioMicrophone()
    microphone._rate = 48_000
    return microphone


def deliver(microphone, samples=None, at=None, status=QUIET) -> None:
    samples = np.zeros((960, 2), np.float32) if samples is None else samples
    microphone._callback(samples, len(samples), at or times(0, 0), status)


def test_channels_are_averaged_and_the_drivers_buffer_is_copied(opened):
    buffer = np.stack([np.full(960, 0.2), np.full(960, 0.4)], axis=1).astype(np.float32)
    deliver(opened, buffer)
    buffer[:] = 9  # PortAudio uses its buffer again
    block = opened.read(0.1)
    np.testing.assert_allclose(block.samples, np.full(960, 0.3), rtol=1e-6)
    assert block.samples.dtype == np.float32
    assert block.sample_rate == 48_000


@pytest.mark.parametrize(
    ("heard", "now", "delay"),
    [
        (1000.0, 1000.05, 0.05),  # a driver that tells
        (1000.0, 1000.0003, 0.02),  # less than the block is long
        (1000.0, 1000.45, 0.02),  # more than can be believed
        (0.0, 0.0, 0.02),  # one that does not: the block's own length
        (0.0, 1000.0, 0.02),
        (1000.0, 0.0, 0.02),
        (1000.1, 1000.0, 0.02),  # heard in the future
        (1.0, 1000.0, 0.02),  # another clock
        (float("nan"), 1000.0, 0.02),
    ],
)
def test_a_block_is_dated_to_when_it_was_heard(opened, heard, now, delay):
    before = time.monotonic()
    deliver(opened, at=times(heard, now))
    after = time.monotonic()
    assert before - delay - 1e-6 <= opened.read(0.1).time_s <= after - delay + 1e-6


def test_an_overflow_marks_the_block_after_it(opened):
    deliver(opened)
    deliver(opened, status=LOST)
    deliver(opened)
    assert [opened.read(0.1).overflowed for _ in range(3)] == [False, True, False]


def test_a_reader_that_stopped_reading_costs_no_memory(opened):
    for _ in range(microphone.QUEUE_BLOCKS + 50):
        deliver(opened)
    assert opened._blocks.qsize() == microphone.QUEUE_BLOCKS
    for _ in range(microphone.QUEUE_BLOCKS):
        assert not opened.read(0.1).overflowed
    deliver(opened)
    assert opened.read(0.1).overflowed, "sound was lost before it"


def test_nothing_heard_is_none(opened):
    assert opened.read(0.001) is None


def test_a_stream_that_ends_by_itself_is_told_after_its_last_sound(opened):
    deliver(opened)
    opened._finished()
    assert opened.read(0.1) is not None
    with pytest.raises(UserError, match="unplugged"):
        opened.read(0.1)


LISTED = [
    {"name": "HDMI", "max_input_channels": 0, "hostapi": 0},
    {"name": "Headset (USB Au", "max_input_channels": 1, "hostapi": 1},
    {"name": "Headset (USB Audio)", "max_input_channels": 1, "hostapi": 0},
    {"name": "USB Audio", "max_input_channels": 2, "hostapi": 1},
]


@pytest.mark.parametrize(
    ("name", "index"), [("headset (usb audio)", 2), ("Headset", 2), ("USB Audio", 3)]
)
def test_a_microphone_is_found_by_name_in_the_usual_interface(name, index):
    assert find_input(LISTED, name, host_api=0) == index


@pytest.mark.parametrize("name", ["HDMI", "Webcam"])
def test_a_name_that_no_input_has_is_told(name):
    with pytest.raises(UserError, match=name):
        find_input(LISTED, name, host_api=0)


def test_a_computer_without_microphone_says_so(monkeypatch):
    sounddevice = pytest.importorskip("sounddevice")
    monkeypatch.setattr(sounddevice, "query_devices", lambda *_: [])
    monkeypatch.setattr(sounddevice.default, "device", (-1, -1))
    with pytest.raises(UserError, match="no microphone"):
        PortAudioMicrophone().open()
    assert devices.microphones() == devices.Found((), "No microphone is plugged in.")


def test_a_refusing_driver_is_quoted_without_its_codes(monkeypatch):
    sounddevice = pytest.importorskip("sounddevice")
    device = {
        **{"name": "desk mic", "index": 0, "hostapi": 0},
        **{"max_input_channels": 1, "default_samplerate": 44_100.0},
    }
    monkeypatch.setattr(sounddevice, "query_devices", lambda *_: [device])

    def refuse(**_):
        raise sounddevice.PortAudioError(
            "Error opening InputStream: Device unavailable [PaErrorCode -9985]", -9985
        )

    monkeypatch.setattr(sounddevice, "InputStream", refuse)
    with pytest.raises(UserError) as refused:
        PortAudioMicrophone("desk").open()
    assert refused.value.text == "The microphone “desk mic” cannot be used: Device unavailable."
    assert refused.value.hint


class Stream:
    def __init__(self, **_: object) -> None:
        pass

    def start(self) -> None:
        pass

    def close(self, ignore_errors: bool) -> None:
        pass


def test_after_a_failure_portaudio_looks_again_but_never_under_an_open_stream(monkeypatch):
    sounddevice = pytest.importorskip("sounddevice")
    device = {
        **{"name": "desk mic", "index": 0, "hostapi": 0},
        **{"max_input_channels": 1, "default_samplerate": 44_100.0},
    }
    listed, looks = [], []
    monkeypatch.setattr(sounddevice, "query_devices", lambda *_: listed)
    monkeypatch.setattr(sounddevice, "InputStream", Stream)
    monkeypatch.setattr(sounddevice, "_terminate", lambda: None)

    def look() -> None:
        looks.append("look")
        listed[:] = [device]  # it was plugged in meanwhile

    monkeypatch.setattr(sounddevice, "_initialize", look)
    first, second = PortAudioMicrophone("desk"), PortAudioMicrophone("desk")
    with pytest.raises(UserError):
        first.open()
    assert not looks
    first.open()
    assert looks == ["look"]
    first._finished()
    with pytest.raises(UserError, match="unplugged"):
        first.read(0.1)
    second.open()
    first.close()
    first.open()
    assert looks == ["look"], "the second microphone is open"
    first.close()
    second.close()
    devices.microphones(rescan=True)
    assert looks == ["look", "look"]


def test_one_that_was_unplugged_is_looked_for_and_begins_anew(monkeypatch):
    sounddevice = pytest.importorskip("sounddevice")
    studio = {
        **{"name": "studio", "index": 0, "hostapi": 0},
        **{"max_input_channels": 18, "default_samplerate": 44_100.0},
    }
    looks, streams = [], []

    class Ending(Stream):
        """Says so when it is closed, as PortAudio's do."""

        def __init__(self, **settings: object) -> None:
            self.settings = settings
            streams.append(self)

        def close(self, ignore_errors: bool) -> None:
            self.settings["finished_callback"]()

    monkeypatch.setattr(sounddevice, "query_devices", lambda *_: [studio])
    monkeypatch.setattr(sounddevice, "InputStream", Ending)
    monkeypatch.setattr(sounddevice, "_terminate", lambda: None)
    monkeypatch.setattr(sounddevice, "_initialize", lambda: looks.append("look"))
    microphone = PortAudioMicrophone("studio")
    microphone.open()
    assert streams[0].settings["channels"] == 2, "the others are no microphones"
    microphone._finished()
    with pytest.raises(UserError, match="unplugged"):
        microphone.read(0.1)
    microphone.open()
    assert looks == ["look"]
    assert microphone.read(0.001) is None, "the end was that of the stream before"
    microphone.close()


def test_without_the_portaudio_library_the_remedy_is_named(monkeypatch):
    real_import = builtins.__import__

    def without(name, *rest):
        if name == "sounddevice":
            raise OSError("PortAudio library not found")
        return real_import(name, *rest)

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(UserError) as refused:
        PortAudioMicrophone().open()
    assert "libportaudio2" in refused.value.hint
    assert "libportaudio2" in devices.microphones().hint
