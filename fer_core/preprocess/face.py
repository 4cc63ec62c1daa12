"""Which face is looked at: a detector that finds all of them, a tracker that stays with one.

RGB picture (H, W, 3) -> ``FaceDetector`` -> every face -> ``FaceTracker`` -> the one followed.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Self

import numpy as np

# cv2 is imported by mediapipe; by way of this module it cannot bend Qt's variables.
import fer_core.preprocess.opencv  # noqa: F401
from fer_core.media import FaceBox, RgbImage
from fer_core.resources import resource

MIN_SCORE = 0.5  # of a detection; mediapipe's own default
CLOSER = 75  # percent: the side of the squares of a closer look, of the picture's shorter side
CLOSER_STEP = 40  # percent of that side: from one square to the next
SAME_FACE_SHARE = 0.5  # of the smaller box: what a square shows of a larger face lies in its box
SAME_FACE_OVERLAP = 0.2  # at 5 frames a second a head may move by two thirds of its width
# In seconds, not in frames: a file is searched at 5 frames a second, a camera at 30.
GRACE_SECONDS = 0.5  # a face not found for so short a time was missed, not gone
TAKEOVER_AREA = 2.0  # only a face this much larger than the followed one may replace it ...
TAKEOVER_SECONDS = 1.0  # ... after being it for so long


class FaceDetector:
    """BlazeFace, short range: faces from about 80 pixels up, nearer than two metres.

    It belongs to the thread that made it. Each picture is judged alone (mediapipe's image mode,
    whose boxes equal those of its video mode), so there are no timestamps to get wrong. A picture
    takes about 2 ms, most of them without the GIL.

    BlazeFace sees a picture at 128 pixels. Where it finds nobody, or where everybody is wanted, it
    is shown overlapping squares of three quarters of the picture's height, enlarged: of grey faces
    of 140 to 300 pixels in a 640x480 picture it misses 20 in 100 at first sight, and 2 after this.

    Bazarevsky et al., BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs, 2019.
    """

    def __init__(self, closer_looks: int | None = None, everybody: bool = False) -> None:
        """The thread's own detector.

        Args:
            closer_looks: squares of a picture that are looked at closer; None is all of them. With
                fewer they take turns, and stay where a face is.
            everybody: look closer also where somebody was found at first sight: smaller faces
                beside a larger one.
        """
        # Imported here: it takes 0.4 s, and the window must not wait for it.
        from mediapipe.tasks.python.core.base_options import BaseOptions
        from mediapipe.tasks.python.vision import face_detector
        from mediapipe.tasks.python.vision.core.image import Image, ImageFormat

        model = resource("models/blaze_face_short_range.tflite").read_bytes()
        options = face_detector.FaceDetectorOptions(
            base_options=BaseOptions(model_asset_buffer=model),
            min_detection_confidence=MIN_SCORE,
        )
        self._as_image = lambda data: Image(image_format=ImageFormat.SRGB, data=data)
        with _quiet_stderr(), _without_opengl():
            self._detector = face_detector.FaceDetector.create_from_options(options)

        self._closer_looks = closer_looks
        self._everybody = everybody
        self._next = 0  # square to look at

    def detect(self, image: RgbImage) -> list[FaceBox]:
        """The faces of ``image`` (H, W, 3), largest first, clipped to the picture."""
        found = self._look(image)
        if self._everybody or not found:
            found = _different([*found, *self._look_closer(image)])
        return sorted(found, key=lambda face: face.area, reverse=True)

    def _look_closer(self, image: RgbImage) -> list[FaceBox]:
        """What the squares show, the surest first, the same face as often as it is in one."""
        squares = closer_squares(*image.shape[:2])
        looks = len(squares) if self._closer_looks is None else self._closer_looks
        whole: list[FaceBox] = []
        cut: list[FaceBox] = []  # what is seen of faces at the edge of a square
        for turn in range(min(looks, len(squares))):
            left, top, side = squares[(self._next + turn) % len(squares)]
            for face in self._look(image[top : top + side, left : left + side]):
                place = replace(face, x=left + face.x, y=top + face.y)
                (whole if _is_whole(place, left, top, side) else cut).append(place)
        if not whole:
            self._next = (self._next + looks) % len(squares)
            return sorted(cut, key=lambda face: face.area, reverse=True)[:1]
        return sorted(whole, key=lambda face: face.score, reverse=True)

    def _look(self, image: RgbImage) -> list[FaceBox]:
        height, width = image.shape[:2]
        found = self._detector.detect(self._as_image(np.ascontiguousarray(image)))
        boxes = []
        for detection in found.detections:
            box = detection.bounding_box
            left, top = max(box.origin_x, 0), max(box.origin_y, 0)
            right = min(box.origin_x + box.width, width)
            bottom = min(box.origin_y + box.height, height)
            if right > left and bottom > top:
                score = float(detection.categories[0].score)
                boxes.append(FaceBox(left, top, right - left, bottom - top, score))
        return boxes

    def close(self) -> None:
        with _quiet_stderr():
            self._detector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _different(faces: Sequence[FaceBox]) -> list[FaceBox]:
    """Each face once: where boxes are of the same, the first of them."""
    kept: list[FaceBox] = []
    for face in faces:
        if all(face.shared(k) < SAME_FACE_SHARE * min(face.area, k.area) for k in kept):
            kept.append(face)
    return kept


def closer_squares(height: int, width: int) -> list[tuple[int, int, int]]:
    """Left, top and side of squares that cover a picture so that smaller things are whole in one.

    What is up to a third of the picture's shorter side is; most larger faces are found anyway.
    """
    side = max(CLOSER * min(height, width) // 100, 1)
    step = CLOSER_STEP * side // 100
    return [(x, y, side) for y in _places(height, side, step) for x in _places(width, side, step)]


def _places(length: int, side: int, step: int) -> list[int]:
    """Where squares begin along a picture's side, evenly, from one end to the other."""
    count = -(-(length - side) // max(step, 1)) + 1
    return [round(i * (length - side) / max(count - 1, 1)) for i in range(count)]


def _is_whole(face: FaceBox, left: int, top: int, side: int) -> bool:
    """Whether a face in a square is not cut by its edge."""
    across = left < face.x and face.x + face.width < left + side
    return across and top < face.y and face.y + face.height < top + side


class FaceTracker:
    """Follows one face from frame to frame, by overlap with where it was last.

    - Nobody followed: the largest face is taken.
    - The followed face is the one that overlaps its last place most, at least by
      ``SAME_FACE_OVERLAP``. Another face takes over only when it was ``TAKEOVER_AREA`` times as
      large for ``TAKEOVER_SECONDS`` on end, so two people at a table do not alternate.
    - Not found: None for ``GRACE_SECONDS``, so that a missed detection does not flick to somebody
      in the background; then the largest face is taken.
    - Locked by a click: only that face. While it is lost the answer is None, for however long,
      until a face appears where it was last seen or :meth:`unlock` is called.

    ``follow`` is called by the thread that detects, ``lock`` and ``unlock`` by the window's.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._faces: tuple[FaceBox, ...] = ()  # of the newest frame: what a click may mean
        self._now_s = 0.0  # the time of that frame
        self._followed: FaceBox | None = None  # where the face was last seen
        self._locked = False
        self._seen_s = 0.0  # and when
        self._outgrown_s: float | None = None  # since when another one has been much larger

    @property
    def locked(self) -> bool:
        with self._guard:
            return self._locked

    def follow(self, faces: Sequence[FaceBox], time_s: float) -> FaceBox | None:
        """The followed face among the ``faces`` of the next frame, None while it is not there."""
        with self._guard:
            self._faces, self._now_s = tuple(faces), time_s
            if self._followed is None:
                return self._take(self._largest())
            seen = self._again(self._followed)
            if seen is None:
                if self._locked or time_s - self._seen_s <= GRACE_SECONDS:
                    return None
                return self._take(self._largest())
            self._followed, self._seen_s = seen, time_s
            largest = self._largest()
            if self._locked or largest is None or largest.area < TAKEOVER_AREA * seen.area:
                self._outgrown_s = None
                return seen
            if self._outgrown_s is None:
                self._outgrown_s = time_s
            return seen if time_s - self._outgrown_s < TAKEOVER_SECONDS else self._take(largest)

    def lock(self, x: float, y: float) -> FaceBox | None:
        """Follow only the face of the newest frame under the pixel (x, y).

        Where boxes overlap the smaller one is meant, since the larger can be clicked elsewhere.
        None, and nothing changes, if there is no face.
        """
        with self._guard:
            under = [face for face in self._faces if face.contains(x, y)]
            if not under:
                return None
            self._locked = True
            return self._take(min(under, key=lambda face: face.area))

    def unlock(self) -> None:
        """Follow as if no face had been locked, beginning with the one that was."""
        with self._guard:
            self._locked = False

    def _take(self, face: FaceBox | None) -> FaceBox | None:
        self._followed, self._seen_s = face, self._now_s
        self._outgrown_s = None
        return face

    def _largest(self) -> FaceBox | None:
        return max(self._faces, key=lambda face: face.area, default=None)

    def _again(self, last: FaceBox) -> FaceBox | None:
        nearest = max(self._faces, key=last.overlap, default=None)
        if nearest is None or last.overlap(nearest) < SAME_FACE_OVERLAP:
            return None
        return nearest


@contextlib.contextmanager
def _without_opengl() -> Iterator[None]:
    """Let libglvnd find no driver: MediaPipe opens a GPU context even to run on the CPU.

    Where the driver is Mesa's software or AMD one, it brings LLVM into the process, visible to all;
    Triton, which torch's compiler imports, has another LLVM inside, and the two end in a crash.
    """
    name = "__EGL_VENDOR_LIBRARY_FILENAMES"
    before = os.environ.get(name)
    os.environ[name] = os.devnull
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


_stderr_guard = threading.Lock()  # two threads that each put back what they found would lose it


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Keep native code from writing to the terminal; LiteRT prints and has no switch for it."""
    with _stderr_guard:
        try:
            kept = os.dup(2)
        except OSError:  # a program started without a console has none
            yield
            return
        try:
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
