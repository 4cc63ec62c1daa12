"""A drawn face that moves, blinks, speaks and changes its expression: a function of time alone.

What never changes is painted once; a frame adds eyes, brows and mouth to it and moves the whole
picture a little, which against the soft background looks like a moving head. About 1 ms a frame.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core.media import RgbImage
from fer_core.preprocess.opencv import cv2
from fer_desktop.capture.synthetic_voice import PHRASE_SECONDS, openness

WIDTH, HEIGHT = 640, 480
CENTRE = (320.0, 240.0)  # between the eyes and the mouth
EYES = ((278.0, 214.0), (362.0, 214.0))
MOUTH = (320.0, 312.0)

Colour = tuple[int, int, int]
SKIN: Colour = (226, 180, 150)
HAIR: Colour = (74, 50, 38)
LIPS: Colour = (178, 92, 88)
INSIDE: Colour = (84, 34, 36)
TEETH: Colour = (236, 228, 220)
WHITE: Colour = (240, 238, 234)
IRIS: Colour = (88, 116, 128)
PUPIL: Colour = (28, 24, 26)
LID: Colour = (120, 78, 62)

SHIFT = 4  # OpenCV draws at sixteenths of a pixel: without, features would jump from one to another
BLINK_SECONDS = 3.4


@dataclass(frozen=True, slots=True)
class Expression:
    """How the features differ from a neutral face."""

    smile: float = 0.0  # corners of the mouth, -1 down to 1 up
    raised: float = 0.0  # brows, -1 to 1
    frown: float = 0.0  # inner ends of the brows, -1 up (sad) to 1 down (angry)
    wide: float = 0.0  # eyes, -1 narrow to 1 wide
    gape: float = 0.0  # mouth open though silent, 0 to 1


# One to a phrase of the voice, whose prosody changes with it.
EXPRESSIONS = (
    Expression(),
    Expression(smile=1.0, raised=0.15, wide=-0.25),  # happy
    Expression(smile=0.1, raised=1.0, wide=0.9, gape=0.6),  # surprised
    Expression(smile=-0.9, raised=0.1, frown=-0.9, wide=-0.6),  # sad
    Expression(smile=-0.9, raised=-0.5, frown=1.0, wide=-1.0, gape=0.4),  # angry
)


def draw_face(t: float) -> RgbImage:
    """The picture at ``t`` seconds, (480, 640, 3)."""
    picture = _still().copy()
    expression = _expression(t)
    _draw_eyes(picture, expression, t)
    _draw_brows(picture, expression)
    talking = float(openness(np.array([t]))[0])
    _draw_mouth(picture, expression, max(0.55 * talking, expression.gape))
    return _moved(picture, t)


def _expression(t: float) -> Expression:
    """The expressions in turn; the last quarter of each glides to the next."""
    position = t / PHRASE_SECONDS
    index = math.floor(position)
    glide = _smooth((position - index - 0.75) / 0.25)
    here, there = (EXPRESSIONS[i % len(EXPRESSIONS)] for i in (index, index + 1))
    return Expression(
        *(
            getattr(here, name) + glide * (getattr(there, name) - getattr(here, name))
            for name in Expression.__slots__
        )
    )


def _moved(picture: RgbImage, t: float) -> RgbImage:
    """Sway, nod, lean in and out, tilt."""
    matrix = cv2.getRotationMatrix2D(
        CENTRE, 3.5 * math.sin(0.7 * t), 1 + 0.05 * math.sin(0.43 * t + 1)
    )
    matrix[0, 2] += 24 * math.sin(0.5 * t)
    matrix[1, 2] += 9 * math.sin(0.83 * t + 2)
    moved: RgbImage = np.asarray(
        cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
    return moved


def _draw_eyes(picture: RgbImage, expression: Expression, t: float) -> None:
    since_blink = t % BLINK_SECONDS
    lids = 1 - math.exp(-(((since_blink - 0.15) / 0.06) ** 2))  # 1 open, 0 shut
    height = max(9.5 * (1 + 0.4 * expression.wide) * lids, 0.6)
    glance = 2.5 * math.sin(0.9 * t) + 1.5 * math.sin(2.3 * t)
    for x, y in EYES:
        if lids > 0.15:
            eye = np.zeros((64, 80), np.uint8)  # where the eye is open, (y - 32, x - 40) on
            _ellipse(eye, (40, 32), (20, height), (255, 255, 255))
            patch = picture[int(y) - 32 : int(y) + 32, int(x) - 40 : int(x) + 40]
            ball = np.full_like(patch, WHITE)
            _ellipse(ball, (40 + glance, 31.5), (9.5, 9.5), IRIS)
            _ellipse(ball, (40 + glance, 31.5), (4.8, 4.8), PUPIL)
            _ellipse(ball, (42.5 + glance, 28.5), (1.8, 1.8), (255, 255, 255))
            patch[:] = _mixed(patch, ball, np.float32(1 / 255) * eye[..., None])
        lid = [(x - 21 + 42 * i / 12, y - height * math.sin(math.pi * i / 12)) for i in range(13)]
        _line(picture, lid, LID, 3)


def _draw_brows(picture: RgbImage, expression: Expression) -> None:
    for side, (x, y) in zip((-1, 1), EYES, strict=True):
        top = y - 27 - 9 * expression.raised
        inner = (x - side * 24, top + 2 + 9 * expression.frown)
        middle = (x + side * 4, top - 6)
        outer = (x + side * 28, top + 3 - 3 * expression.frown)
        _line(picture, _curve(inner, middle, outer), HAIR, 7)


def _draw_mouth(picture: RgbImage, expression: Expression, opened: float) -> None:
    x, y = MOUTH
    half = 34 + 9 * expression.smile - 9 * opened
    corner = y - 9 * expression.smile
    drop = 34 * opened
    left, right = (x - half, corner), (x + half, corner)
    middle = y + 3 * expression.smile
    outer = [
        *_curve(left, (x, middle - 9 - 0.15 * drop), right),
        *_curve(right, (x, middle + 11 - 5 * min(expression.smile, 0) + drop), left),
    ]
    _polygon(picture, outer, LIPS)
    left, right = (x - half + 5, corner), (x + half - 5, corner)
    upper, lower = middle - 0.15 * drop, middle + 0.85 * drop
    if opened > 0.06:
        roof = _curve(left, (x, upper), right)
        _polygon(picture, [*roof, *_curve(right, (x, lower), left)], INSIDE)
        teeth = _curve(right, (x, upper + min(0.35 * (lower - upper), 8)), left)
        _polygon(picture, [*roof, *teeth], TEETH)
    else:
        _line(picture, _curve(left, (x, middle + 1), right), INSIDE, 2)


# -------------------------------------------------------------------- the still picture


@functools.cache
def _still() -> RgbImage:
    """Background, shoulders, hair and a face without eyes, brows and mouth."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)

    def disc(cx: float, cy: float, rx: float, ry: float, soft: float = 1.5) -> NDArray[np.float32]:
        """1 inside an ellipse, 0 outside, ``soft`` pixels between."""
        distance = (np.hypot((x - cx) / rx, (y - cy) / ry) - 1) * min(rx, ry)
        return np.clip(0.5 - distance / soft, 0, 1)

    def glow(cx: float, cy: float, rx: float, ry: float) -> NDArray[np.float32]:
        return np.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2)

    paint = np.empty((HEIGHT, WIDTH, 3), np.float32)
    paint[:] = (176, 190, 200)
    paint += (26 * glow(230, 150, 330, 300) - 18 * y / HEIGHT)[..., None]

    def lay(mask: NDArray[np.float32], colour: Colour | NDArray[np.float32]) -> None:
        paint[:] += mask[..., None] * (np.asarray(colour, np.float32) - paint)

    head = disc(320, 205, 122, 152, 3)
    lay(head, HAIR)
    lay(disc(320, 520, 215, 120, 3), (66, 92, 118))  # shoulders
    lay(disc(320, 385, 48, 70, 3), (196, 148, 120))  # neck
    lay(0.55 * glow(320, 372, 62, 26) * disc(320, 385, 48, 70, 3), (120, 80, 62))
    for ear in (216, 424):
        lay(disc(ear, 245, 15, 28, 2), (212, 160, 132))

    light = 1.06 - 0.20 * ((x - 300) / 100) ** 2 * 0.6 - 0.10 * ((y - 215) / 130) ** 2
    skin = np.asarray(SKIN, np.float32) * np.clip(light, 0.6, 1.08)[..., None]
    face = disc(320, 248, 101, 134, 2)
    lay(face, skin)
    for cheek in (258, 382):
        lay(0.30 * glow(cheek, 275, 30, 22) * face, (214, 120, 104))
    for ex, ey in EYES:
        lay(0.35 * glow(ex, ey - 4, 34, 20) * face, (160, 108, 88))  # sockets
    lay(0.32 * glow(336, 252, 10, 34), (168, 114, 92))  # the nose's shadowed side
    lay(0.45 * glow(314, 240, 6, 36), (250, 214, 190))  # and its bridge
    lay(0.40 * glow(320, 279, 22, 6), (160, 100, 84))
    for nostril in (309, 331):
        lay(0.75 * glow(nostril, 276, 4.5, 3), (104, 60, 52))
    lay(0.25 * glow(320, 338, 24, 5), (168, 110, 90))  # under the lip

    fringe = disc(320, 130, 108, 56, 3) * (1 - disc(352, 196, 92, 64, 3))
    lay(fringe * head, HAIR)
    lay(0.35 * glow(275, 100, 60, 18) * head, (128, 92, 70))  # its shine
    return np.asarray(np.clip(paint, 0, 255), np.uint8)


# ------------------------------------------------------------------------------ drawing

Point = tuple[float, float]


def _smooth(x: float) -> float:
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)


def _mixed(below: RgbImage, above: RgbImage, share: NDArray[np.float32]) -> RgbImage:
    mixed: RgbImage = (below + share * (above.astype(np.float32) - below)).astype(np.uint8)
    return mixed


def _curve(start: Point, through: Point, end: Point) -> list[Point]:
    """A quadratic Bézier curve that passes ``through`` at its middle."""
    points = []
    for i in range(13):
        u = i / 12
        a, b, c = (1 - u) * (1 - 2 * u), 4 * u * (1 - u), u * (2 * u - 1)
        points.append(
            (
                a * start[0] + b * through[0] + c * end[0],
                a * start[1] + b * through[1] + c * end[1],
            )
        )
    return points


def _fixed(points: list[Point]) -> NDArray[np.int32]:
    return np.rint(np.array(points) * (1 << SHIFT)).astype(np.int32)[:, None]


def _polygon(picture: RgbImage, points: list[Point], colour: Colour) -> None:
    cv2.fillPoly(picture, [_fixed(points)], colour, cv2.LINE_AA, SHIFT)


def _line(picture: RgbImage, points: list[Point], colour: Colour, width: int) -> None:
    cv2.polylines(picture, [_fixed(points)], False, colour, width, cv2.LINE_AA, SHIFT)


def _ellipse(picture: RgbImage, centre: Point, radii: Point, colour: Colour) -> None:
    turn = np.linspace(0, 2 * np.pi, 33)[:-1]
    points = np.stack((centre[0] + radii[0] * np.cos(turn), centre[1] + radii[1] * np.sin(turn)), 1)
    _polygon(picture, [tuple(point) for point in points.tolist()], colour)
