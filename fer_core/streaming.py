"""The predictor's answer for a stream, computing only what is new since the last clip.

Clips 375 ms apart share 14 of their 16 frames, and encoding frames is most of a prediction.
"""

from __future__ import annotations

from fer_core.media import Clip
from fer_core.prediction import Prediction
from fer_core.predictor import EncodedFaces, Predictor
from fer_core.preprocess.speech_listener import SpeechListener


class StreamingPredictor:
    """Remembers the faces of the newest clip and where speech is in it: memory stays constant.

    A frame is encoded again only if another face in it is looked at. The sound is encoded anew for
    each clip: it is cheap, and 375 ms are not a whole number of the audio encoder's steps.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._seen: EncodedFaces = {}
        self._listener = SpeechListener()

    def predict(self, clip: Clip) -> Prediction | None:
        """As :meth:`fer_core.predictor.Predictor.predict`.

        Speech is heard as in a recording from its beginning, not from the clip's: about chunks of
        32 ms the two may differ.
        """
        prediction, self._seen = self._predictor.step(clip, self._seen, self._listener)
        return prediction

    def reset(self) -> None:
        """Begin another source, whose frame indices mean other pictures."""
        self._seen = {}
        self._listener.forget()
