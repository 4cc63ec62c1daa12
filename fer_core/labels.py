"""The eight emotions of RAVDESS, in the order of its file-name codes 01 to 08.

The order is the order of every probability vector in the project; checkpoints repeat it in their
``config.json`` and are refused when it differs.
"""

EMOTIONS: tuple[str, ...] = (
    "neutral",
    "calm",
    "happy",
    "sad",
    "angry",
    "fearful",
    "disgust",
    "surprised",
)

CLASSES = len(EMOTIONS)
