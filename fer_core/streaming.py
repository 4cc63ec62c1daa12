"""The predictor's answer for a stream, computing only what is new since the last clip.

Clips 375 ms apart share 14 of their 16 frames, and encoding frames is most of a prediction.
"""

from __future__ import annotations

from fer_core.media import Clip
from fer_core.prediction import Prediction
from fer_core.predictor import EncodedFaces, Predictor


class StreamingPredictor:
    """Remembers the faces of the newest clip, and no more: memory stays constant.

    A frame is encoded again only if another face in it is looked at. The sound is heard anew for
    each clip: it is cheap, and 375 ms are not a whole number of the audio encoder's steps.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._seen: EncodedFaces = {}

    def predict(self, clip: Clip) -> Prediction | None:
        """As :meth:`fer_core.predictor.Predictor.predict`."""
        prediction, self._seen = self._predictor.step(clip, self._seen)
        return prediction

    def reset(self) -> None:
        """Begin another source, whose frame indices mean other pictures."""
        self._seen = {}
