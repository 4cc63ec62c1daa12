from __future__ import annotations

import pytest

from fer_core.errors import UserError
from fer_desktop.capture import devices
from fer_desktop.capture.devices import Device, Found
from fer_desktop.capture.microphone import PortAudioMicrophone
from fer_desktop.capture.opencv_camera import OpenCVCamera
from fer_desktop.capture.synthetic import SyntheticCamera, SyntheticMicrophone
from fer_desktop.live.sources import Sources


@pytest.fixture
def plugged(monkeypatch):
    """One camera and one microphone, whatever this computer has."""
    cameras = Found((Device("/dev/video0", "Webcam", "/dev/video0"),))
    microphones = Found((Device("Yeti", "Yeti", "Yeti"),))
    monkeypatch.setattr(devices, "cameras", lambda: cameras)
    monkeypatch.setattr(devices, "microphones", lambda rescan: microphones)


@pytest.fixture
def nothing(monkeypatch):
    monkeypatch.setattr(devices, "cameras", lambda: Found((), "No camera is plugged in."))
    monkeypatch.setattr(devices, "microphones", lambda rescan: Found((), "None.", "Plug one in."))


def names(found: Found) -> list[str]:
    return [device.name for device in found.devices]


def test_the_demo_touches_no_device(monkeypatch):
    for look in ("cameras", "microphones"):
        monkeypatch.setattr(devices, look, lambda *_: pytest.fail("looked for devices"))
    sources = Sources(demo=True)
    camera, microphone = sources.find_cameras(), sources.find_microphones()
    assert isinstance(sources.camera(camera.devices[0].id), SyntheticCamera)
    assert isinstance(sources.microphone(microphone.devices[0].id), SyntheticMicrophone)


def test_what_the_command_line_names_comes_first_also_where_nothing_is_plugged_in(nothing):
    sources = Sources(named_camera="0", named_microphone="Blue")
    assert names(sources.find_cameras()) == ["0"]
    assert names(sources.find_microphones()) == ["Blue"]
    assert isinstance(sources.camera("0"), OpenCVCamera)
    assert isinstance(sources.microphone("Blue"), PortAudioMicrophone)


def test_a_named_device_that_is_plugged_in_is_listed_once(plugged):
    sources = Sources(named_camera="/dev/video0", named_microphone="Other")
    assert names(sources.find_cameras()) == ["Webcam"]
    assert names(sources.find_microphones()) == ["Other", "Yeti"]


def test_a_camera_is_called_what_the_list_calls_it(plugged):
    sources = Sources(named_camera="0")
    sources.find_cameras()
    assert sources.camera("/dev/video0").name == "Webcam"
    assert sources.camera("0").name == "Camera 0"


@pytest.mark.parametrize("chosen", [None, "unplugged since"])
def test_no_device_says_what_to_do(nothing, chosen):
    sources = Sources()
    sources.find_cameras()
    assert sources.find_microphones().hint == "Plug one in."
    with pytest.raises(UserError, match="Retry"):
        sources.camera(chosen)
    with pytest.raises(UserError, match="Retry"):
        sources.microphone(chosen)


def test_an_address_of_an_unknown_kind_is_refused_with_the_kinds_there_are(nothing):
    sources = Sources(named_camera="gopher://camera")
    sources.find_cameras()
    with pytest.raises(UserError, match="rtsp://"):
        sources.camera("gopher://camera")


def test_an_address_that_is_typed_is_listed_first_from_then_on(plugged):
    sources = Sources()
    sources.find_cameras()
    assert sources.offer_camera("http://phone/video")
    assert names(sources.find_cameras()) == ["http://phone/video", "Webcam"]
    assert isinstance(sources.camera("http://phone/video"), OpenCVCamera)
    assert not sources.offer_camera("/dev/video0"), "it is in the list"
    assert names(sources.find_cameras()) == ["http://phone/video", "Webcam"]
