from __future__ import annotations

import torch

from fer_core.labels import CLASSES, EMOTIONS
from fer_core.model.answer import AT_REST, CLIP_SHARE, PRIOR_SHARE, combine, or_at_rest

ALIKE = torch.zeros(CLASSES)  # faces showed all emotions equally often
THERE = torch.ones(1, 8, dtype=torch.bool)


def test_of_one_modality_alone_its_own_answer_stands() -> None:
    noise = torch.Generator().manual_seed(0)
    fused, own = torch.randn(2, 8, generator=noise), torch.randn(2, 8, 8, generator=noise)
    none, some = torch.zeros(2, 8, dtype=torch.bool), torch.ones(2, 8, dtype=torch.bool)
    some[0, :3] = False
    for heard, seen in ((some, none), (none, some)):
        logits, segment_logits = combine(fused, own + 1, own, own, heard, seen, own[0, 0])
        torch.testing.assert_close(logits[0], own[0, 3:].mean(0))
        expected = own.lerp(logits.unsqueeze(1), CLIP_SHARE)
        torch.testing.assert_close(segment_logits[some], expected[some])


def test_of_both_all_three_answers_are_added() -> None:
    noise = torch.Generator().manual_seed(0)
    fused, (voice, face) = torch.randn(1, 8, generator=noise), torch.randn(2, 1, 8, 8)
    prior = torch.randn(8, generator=noise)
    logits, _ = combine(fused, voice, voice, face, THERE, THERE, prior)
    seen = or_at_rest(face.mean(1) - PRIOR_SHARE * prior)
    torch.testing.assert_close(logits, fused + or_at_rest(voice.mean(1)) + seen)


def test_who_shows_nothing_may_feel_anything() -> None:
    says = or_at_rest(sure_of("neutral")).exp()[0]
    assert says[EMOTIONS.index("neutral")] > 0.99
    torch.testing.assert_close(says[2:], torch.full((6,), AT_REST), atol=1e-3, rtol=0)
    assert says[EMOTIONS.index("calm")] < 1e-3, "calm is no emotion that is hidden"


def test_who_shows_an_emotion_is_not_at_rest() -> None:
    says = or_at_rest(sure_of("happy"))
    torch.testing.assert_close(says.argmax(-1), torch.tensor([EMOTIONS.index("happy")]))
    others = [place for place in range(8) if place != EMOTIONS.index("happy")]
    assert says.exp()[0, others].max() < 1e-3


def test_a_face_at_rest_does_not_outvote_a_voice_nor_the_other_way_round() -> None:
    sad, rest = sure_of("sad"), sure_of("neutral")
    for voice, face in ((sad, rest), (rest, sad)):
        logits, _ = combine(ALIKE[None], _all(ALIKE), _all(voice), _all(face), THERE, THERE, ALIKE)
        assert EMOTIONS[int(logits.argmax())] == "sad"


def test_beside_a_voice_rarely_seen_emotions_count_for_more() -> None:
    prior = ALIKE.clone()
    prior[EMOTIONS.index("disgust")] = -4.0
    undecided = _all(ALIKE)
    logits, _ = combine(ALIKE[None], undecided, undecided, undecided, THERE, THERE, prior)
    assert EMOTIONS[int(logits.argmax())] == "disgust"
    alone, _ = combine(ALIKE[None], undecided, undecided, undecided, ~THERE, THERE, prior)
    assert alone.std() == 0


def sure_of(emotion: str) -> torch.Tensor:
    """(1, 8) logits."""
    return 10.0 * (torch.arange(CLASSES) == EMOTIONS.index(emotion)).float().unsqueeze(0)


def _all(logits: torch.Tensor) -> torch.Tensor:
    """The same in each of eight segments, (1, 8, 8)."""
    return logits.expand(1, 8, CLASSES)
