"""A microphone through PortAudio.

The device is opened at its own sample rate, because many refuse any other. PortAudio's callback
runs under a deadline: it copies and counts, and everything else happens in ``read``.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from fer_core.errors import UserError
from fer_core.media import AudioBlock, Waveform

BLOCK_SECONDS = 0.02
LETTING_GO_SECONDS = 1.0  # of the microphone used before, which is read at most for 0.25 s more
QUEUE_BLOCKS = 200  # 4 s; a reader that is later than that has lost the moment anyway
MOST_CHANNELS = 2  # a studio interface's other 16 are not the microphone
# A driver that reports more is not believed: PulseAudio claims up to 450 ms in a stream's first
# second, for sound that in truth arrives within 20 ms (measured with a tone through a null sink).
LONGEST_DELAY_SECONDS = 0.1


class Microphone(Protocol):
    """A source of sound, used by one thread."""

    @property
    def name(self) -> str:
        """As people know it."""

    def open(self) -> None:
        """Begin; may be called again after :meth:`close`.

        Raises:
            UserError: there is no such microphone, or it may not be used.
        """

    def read(self, timeout_s: float) -> AudioBlock | None:
        """The next block, mono at the microphone's own rate; None when none came in time.

        Raises:
            UserError: the microphone was unplugged or closed.
        """

    def close(self) -> None:
        """Let go of the device; harmless when it is not open."""


def portaudio() -> ModuleType:
    """The sounddevice module, imported late: it needs a library that may be missing.

    Raises:
        UserError: the library is missing.
    """
    try:
        import sounddevice
    except OSError as error:
        hint = (
            "Run “sudo apt install libportaudio2”, then start the program again."
            if sys.platform == "linux"
            else "Install the program again."
        )
        raise UserError("No microphone can be used: PortAudio is missing.", hint) from error
    return sounddevice


def look_for_devices(sounddevice: ModuleType) -> bool:
    """Make PortAudio look again for devices; it does so by itself only when it is loaded.

    False, and nothing is done, while a microphone is open: looking again would end its stream.
    """
    with exclusive:
        if _open_microphones:
            return False
        sounddevice._terminate()
        sounddevice._initialize()
        return True


def find_input(devices: list[dict[str, Any]], name: str, host_api: int) -> int:
    """The index of the input called ``name``: exactly, else as part of its name.

    Windows lists a device once for each of its interfaces; that of the default one is preferred.

    Raises:
        UserError: there is none.
    """
    wanted = name.casefold()
    inputs = [i for i, device in enumerate(devices) if device["max_input_channels"] > 0]
    inputs.sort(key=lambda i: devices[i]["hostapi"] != host_api)
    for fits in (str.__eq__, str.__contains__):
        for i in inputs:
            if fits(devices[i]["name"].casefold(), wanted):
                return i
    raise UserError(f"There is no microphone “{name}”.", "Plug it in, or choose another.")


# PortAudio is one for the whole program, and opening, closing and looking are not thread-safe.
exclusive = threading.Lock()
_one_closed = threading.Condition(exclusive)
_open_microphones: set[int] = set()  # by id()


class PortAudioMicrophone:
    """The microphone called ``name``, or the system's default."""

    def __init__(self, name: str | None = None) -> None:
        self._wanted = name
        self._name = name or "default"
        self._failed = False  # the list of devices may be outdated
        self._stream: Any = None
        self._blocks: queue.SimpleQueue[AudioBlock | None] = queue.SimpleQueue()
        self._rate = 0
        self._lost = False  # since the last block that was queued

    @property
    def name(self) -> str:
        return self._name

    def open(self) -> None:
        sounddevice = portaudio()
        self.close()
        with exclusive:  # some devices can be open only once, and the one before may still be
            _one_closed.wait_for(lambda: not _open_microphones, LETTING_GO_SECONDS)
        if self._failed:
            look_for_devices(sounddevice)
        self._failed = True
        try:
            with exclusive:
                self._open(sounddevice)
        except sounddevice.PortAudioError as error:
            self.close()
            raise UserError(
                f"The microphone “{self.name}” cannot be used: {_reason(error)}.", _settings_hint()
            ) from error
        self._failed = False

    def _open(self, sounddevice: ModuleType) -> None:
        device = self._find(sounddevice)
        self._name = device["name"]
        self._rate = round(device["default_samplerate"])
        self._blocks = queue.SimpleQueue()
        self._lost = False
        self._stream = sounddevice.InputStream(
            device=device["index"],
            samplerate=self._rate,
            channels=min(device["max_input_channels"], MOST_CHANNELS),
            dtype="float32",
            blocksize=round(self._rate * BLOCK_SECONDS),
            callback=self._callback,
            finished_callback=self._finished,
        )
        _open_microphones.add(id(self))
        self._stream.start()

    def read(self, timeout_s: float) -> AudioBlock | None:
        try:
            block = self._blocks.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if block is None:
            self._failed = True
            raise UserError(
                f"The microphone “{self.name}” was unplugged or stopped.",
                "Plug it in again, or choose another.",
            )
        # (n, channels) -> (n,)
        samples: Waveform = block.samples.mean(axis=1, dtype=np.float32)
        return AudioBlock(samples, block.sample_rate, block.time_s, block.overflowed)

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with exclusive:
                stream.close(ignore_errors=True)
                _open_microphones.discard(id(self))
                _one_closed.notify_all()

    def _find(self, sounddevice: ModuleType) -> dict[str, Any]:
        devices = list(sounddevice.query_devices())
        default, _ = sounddevice.default.device
        if self._wanted is not None:
            host_api = devices[default]["hostapi"] if default >= 0 else 0
            return devices[find_input(devices, self._wanted, host_api)]
        if default < 0:
            raise UserError("There is no microphone.", "Plug one in, then try again.")
        return devices[default]

    def _callback(self, samples: Waveform, frames: int, times: Any, status: Any) -> None:
        """(frames, channels) as PortAudio delivers them; runs on its thread, under a deadline."""
        now = time.monotonic()
        if status.input_overflow:
            self._lost = True
        if self._blocks.qsize() >= QUEUE_BLOCKS:
            self._lost = True
            return
        begun = now - _delay(times, frames / self._rate)
        self._blocks.put(AudioBlock(samples.copy(), self._rate, begun, self._lost))
        self._lost = False

    def _finished(self) -> None:
        """The stream ended, by ``close`` or by itself; either way ``read`` must not wait."""
        self._blocks.put(None)


def _delay(times: Any, length_s: float) -> float:
    """How long ago the first sample of a block of ``length_s`` was heard."""
    delay = float(times.currentTime - times.inputBufferAdcTime)
    # Some drivers leave one or both at zero, count from another moment, or (PulseAudio) say less
    # than the block is long, which cannot be: its last sample has been heard.
    if times.inputBufferAdcTime > 0 and length_s < delay < LONGEST_DELAY_SECONDS:
        return delay
    return length_s


def _reason(error: Exception) -> str:
    """PortAudio's own words, without its prefix and its number."""
    text = str(error.args[0]) if error.args else type(error).__name__
    return text.removeprefix("Error opening InputStream: ").split(" [PaErrorCode")[0].rstrip(".")


def _settings_hint() -> str:
    if sys.platform == "darwin":
        return (
            "Allow this program to use the microphone in System Settings, Privacy & Security, "
            "Microphone."
        )
    if sys.platform == "win32":
        return (
            "Allow desktop apps to use the microphone in Settings, Privacy & security, Microphone; "
            "close programs that use it alone."
        )
    return "Check that it is plugged in and that no other program uses it alone."
