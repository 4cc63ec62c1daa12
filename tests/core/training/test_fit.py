import pytest

from fer_core.training.fit import licence_of


@pytest.mark.parametrize(
    "corpus", ["CC BY-NC-SA 4.0", "votes: MIT; pictures of FER2013: research use"]
)
def test_weights_are_bound_by_the_narrowest_of_their_corpora(corpus: str) -> None:
    licence = licence_of(["MIT", corpus])
    assert licence is not None
    assert "non-commercial" in licence


def test_nothing_is_said_of_weights_whose_corpora_bind_nobody() -> None:
    assert licence_of(["ODbL 1.0", "your own"]) is None
