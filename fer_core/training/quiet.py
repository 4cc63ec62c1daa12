"""Lightning talks to whoever writes the loop; people shall see our own bar and lines alone."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# "GPU available: False", "`Trainer.fit` stopped", tips for its makers' services: all are infos.
_LOGGERS = ("lightning.pytorch", "lightning.fabric")

# Warnings of what is meant so, by the beginning of their text (a regular expression).
_MEANT = (
    # Two cores have no worker to spare: --workers is for machines that do.
    ".*does not have many workers",
    # A dataset that makes batches is no mistake; the losses are logged with their batch's size.
    "Trying to infer the `batch_size`",
    # It is the stage's own folder, and the stage goes on from what is in it.
    "Checkpoint directory .* exists and is not empty",
    # Where nobody validates, the last epoch counts.
    "You defined a `validation_step` but have no `val_dataloader`",
    # What a stage does not train stays in evaluation mode.
    r"Found \d+ module\(s\) in eval mode",
    # A batch may lack a modality, and then a branch has no gradient; most batches lack none.
    "find_unused_parameters=True was specified",
    # Lightning 2.6.6 asks torch 2.14 in last year's way.
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",
    "torch.distributed.nn.functional.all_gather is deprecated",
    r"FSDP\.state_dict_type\(\) and FSDP\.set_state_dict_type\(\) are being deprecated",
)


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Inside, Lightning logs warnings and errors only, and does not warn of what is meant so."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for text in _MEANT:
            warnings.filterwarnings("ignore", message=text)
        for logger in loggers:
            logger.setLevel(logging.WARNING)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
