"""How the model is opened."""

from __future__ import annotations

import gc

from fer_desktop.live import model


def test_what_the_import_makes_is_never_searched_for_garbage_and_later_garbage_is():
    gc.unfreeze()
    model._import_network.cache_clear()
    model._import_network()
    frozen = gc.get_freeze_count()
    gc.unfreeze()
    assert frozen > 100_000
    assert gc.isenabled()


def test_another_model_freezes_nothing_more():
    model._import_network()
    gc.unfreeze()
    model._import_network()
    assert gc.get_freeze_count() == 0
