"""Which cameras and microphones the window offers, and how a choice is made one to read from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fer_core.errors import UserError
from fer_desktop.capture import devices
from fer_desktop.capture.camera import Camera, parse_camera
from fer_desktop.capture.devices import Device, Found
from fer_desktop.capture.microphone import Microphone, PortAudioMicrophone
from fer_desktop.capture.synthetic import SyntheticCamera, SyntheticMicrophone

DRAWN_FACE = Device("drawn face", "Drawn face (demo)", "")
MADE_VOICE = Device("made voice", "Made voice (demo)", "")


@dataclass
class Sources:
    """The devices that are plugged in, after those that were named: an address, a file.

    The demo offers its own instead and touches no device.
    """

    demo: bool = False
    named_camera: str | None = None
    named_microphone: str | None = None
    _cameras: dict[str, Device] = field(default_factory=dict)
    _microphones: dict[str, Device] = field(default_factory=dict)

    def find_cameras(self) -> Found:
        found = Found((DRAWN_FACE,)) if self.demo else devices.cameras()
        found = _with(self.named_camera, found)
        self._cameras = {device.id: device for device in found.devices}
        return found

    def offer_camera(self, camera: str) -> bool:
        """Add an address or a file to the next list; False if ``camera`` is in the last one."""
        if camera in self._cameras:
            return False
        self.named_camera = camera
        return True

    def find_microphones(self) -> Found:
        """May take long; new ones are found while none is listened to."""
        found = Found((MADE_VOICE,)) if self.demo else devices.microphones(rescan=True)
        found = _with(self.named_microphone, found)
        self._microphones = {device.id: device for device in found.devices}
        return found

    def camera(self, chosen: str | None) -> Camera:
        """The camera with the id ``chosen`` in the list, not yet opened.

        Raises:
            UserError: nothing could be chosen.
        """
        if chosen == DRAWN_FACE.id:
            return SyntheticCamera()
        device = self._cameras.get(chosen or "")
        camera = None
        if device is not None:
            name = device.name if device.name != device.source else None
            camera = parse_camera(device.source, name)
        if camera is None:
            raise UserError(
                "There is no camera.",
                "Plug one in and press Retry, or go on with the microphone only.",
            )
        return camera

    def microphone(self, chosen: str | None) -> Microphone:
        """As :meth:`camera`."""
        if chosen == MADE_VOICE.id:
            return SyntheticMicrophone()
        device = self._microphones.get(chosen or "")
        if device is None:
            raise UserError(
                "There is no microphone.",
                "Plug one in and press Retry, or go on with the camera only.",
            )
        return PortAudioMicrophone(device.source)


def _with(named: str | None, found: Found) -> Found:
    """``found`` and, before them, the one that was named."""
    if named is None or any(device.id == named for device in found.devices):
        return found
    name = Path(named).name if Path(named).is_file() else named
    return Found((Device(named, name, named), *found.devices))
