"""One stage of training as Lightning sees it: what is trained, and what a step and an epoch do."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.optim.lr_scheduler import (
    CosineAnnealingWarmRestarts,
    LambdaLR,
    LinearLR,
    LRScheduler,
    ReduceLROnPlateau,
    SequentialLR,
)

from fer_core.config import FERConfig
from fer_core.data.batch import Batch
from fer_core.data.item import Groups, Item
from fer_core.data.targets import Targets
from fer_core.errors import UserError
from fer_core.evaluation.answers import Answers, BatchAnswers
from fer_core.evaluation.evaluate import answer, audio_steps, frame_vectors
from fer_core.evaluation.scores import score
from fer_core.model.answer import mean_of_present
from fer_core.model.inputs import ModelOutput
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.model.segment_pooling import seen_segments
from fer_core.training.config import StageName, TrainingConfig
from fer_core.training.losses import clip_loss, contrastive_loss, division_loss, segment_loss
from fer_core.training.mixing import mixed
from fer_core.training.trained_parts import TRAINED, trained_by

# Where a stage's learning rates are set.
_RATES: dict[StageName, str] = {
    "audio": "--lr",
    "visual": "--lr",
    "fusion": "stages.fusion.branch_lr, fusion_lr and classifier_lr",
    "joint": "stages.joint.branch_lr, fusion_lr and classifier_lr",
}
CONTRASTS: tuple[StageName, ...] = ("fusion", "joint")  # stages that compare voices and faces
CONTRAST_WIDTH = 128


@dataclass(frozen=True, slots=True)
class StageAnswer:
    """What the stage's part of the network says, and all of it where the stage has all."""

    logits: Tensor  # (B, C)
    segment_logits: Tensor  # (B, S, C)
    present: Tensor  # (B, S), the segments that have something
    output: ModelOutput | None = None
    members: tuple[StageAnswer, ...] = ()  # of which it is the mean, where they learn apart


class Diverged(UserError):
    """Loss or weights are not finite any more."""

    def __init__(self, stage: StageName, epoch: int) -> None:
        super().__init__(
            f"The loss is no number any more in epoch {epoch + 1} of the {stage} stage: "
            "the network was changed by too much at a time.",
            f"Begin anew in another folder, with smaller learning rates: {_RATES[stage]}.",
        )


class Contrast(nn.Module):
    """What only training needs: where voices and faces are compared."""

    def __init__(self, config: FERConfig) -> None:
        super().__init__()
        self.voice = nn.Linear(config.audio.encoded_width, CONTRAST_WIDTH)
        self.face = nn.Linear(config.vision.width, CONTRAST_WIDTH)


class Task(lightning.LightningModule):
    """A stage of training one network."""

    class_weights: Tensor  # (8,)

    def __init__(
        self,
        model: MultimodalFER,
        contrast: Contrast,
        stage: StageName,
        config: TrainingConfig,
        class_weights: Tensor,
        steps_per_epoch: int,
        validation: Sequence[Item] = (),
    ) -> None:
        """Freezes what the stage does not train, and is in training mode.

        Args:
            class_weights: (8,).
            steps_per_epoch: of the optimiser.
            validation: the items whose windows the validation batches bring, by their place.
        """
        super().__init__()
        self.model, self.contrast = model, contrast
        self.stage, self.config = stage, config
        self.register_buffer("class_weights", class_weights, persistent=False)
        self.steps_per_epoch = steps_per_epoch
        # Noted here, because FSDP makes vectors of all.
        self._decaying = {name for name, p in self.named_parameters() if p.ndim > 1}
        self._validation = validation
        self._said: list[BatchAnswers] = []
        model.requires_grad_(False)
        for parameter in trained_by(stage, model):
            parameter.requires_grad_(True)
        contrast.requires_grad_(stage in CONTRASTS and config.contrastive_loss > 0)
        _checkpoint_activations(model, config.gradient_checkpointing)
        self.train()  # Lightning leaves the modes as they are

    def forward(self, batch: Batch) -> StageAnswer:
        if self.stage == "audio":
            return self._audio_answer(batch)
        if self.stage == "visual":
            return self._visual_answer(batch)
        output = answer(self.model, batch)
        present = batch.audio_mask | seen_segments(batch.frame_mask)
        return StageAnswer(output.logits, output.segment_logits, present, output)

    def training_step(self, batch: Batch, index: int) -> Tensor:
        batch, order, share = mixed(batch, self.config)
        output = self(batch)
        labels = [self._targets(own) for own in (batch.targets, batch.heard, batch.shown)]
        loss = share * self._loss(output, batch, *labels)
        if order is not None:
            others = [own.shuffled(order) for own in labels]
            loss = loss + (1 - share) * self._loss(output, batch, *others)
        if output.output is not None and self.config.contrastive_loss:
            loss = loss + self.config.contrastive_loss * self._contrast(output.output, batch)
        self._refuse_non_finite(loss.detach())
        self.log(
            "loss",
            loss.detach(),
            on_step=False,
            on_epoch=True,
            batch_size=len(batch),
            sync_dist=True,
        )
        return loss

    def on_train_epoch_end(self) -> None:
        """Lightning would do it after the checkpoint was written, which would not know of it."""
        self._refuse_non_finite(*self.parameters())  # before they are kept
        schedule = self.lr_schedulers()
        if isinstance(schedule, ReduceLROnPlateau):
            schedule.step(float(self.trainer.callback_metrics["loss"]))

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        """Of all but those that wait for a plateau."""
        if not isinstance(scheduler, ReduceLROnPlateau):
            scheduler.step()

    def on_validation_epoch_start(self) -> None:
        self._said.clear()

    def validation_step(self, batch: tuple[Batch, list[int]], index: int) -> None:
        clips, places = batch
        output = self(clips)
        heard, seen = clips.audio_mask, seen_segments(clips.frame_mask)
        if self.stage == "audio":
            seen = torch.zeros_like(seen)
        elif self.stage == "visual":
            heard = torch.zeros_like(heard)
        answers = (output.logits.float(), output.segment_logits.float(), heard, seen)
        self._said.append(BatchAnswers(places, *(part.cpu() for part in answers)))

    def on_validation_epoch_end(self) -> None:
        """Every process validates on everything, so that all decide alike.

        Corpora that tell different emotions apart are scored apart, and so are voices, faces, and
        both together; their mean counts.
        """
        answers = Answers.of(self._validation, self._said)
        self._refuse_non_finite(answers.logits)
        kinds = sorted({_kind(item) for item in answers.items})
        scores = [
            score(answers.subset([_kind(item) == kind for item in answers.items])) for kind in kinds
        ]
        for name, values in (
            ("uar", [one.uar for one in scores]),
            ("war", [one.war for one in scores]),
            ("loss", [one.nll for one in scores]),
        ):
            self.log(f"val_{name}", statistics.fmean(values), sync_dist=True)

    def _refuse_non_finite(self, *values: Tensor) -> None:
        """Raises:
        Diverged: one of ``values`` is not finite.
        """
        if not torch.stack([value.isfinite().all() for value in values]).all():
            raise Diverged(self.stage, self.current_epoch)

    def train(self, mode: bool = True) -> Task:
        """Frozen parts stay in evaluation mode: no dropout, no new statistics."""
        super().train(mode)
        for name, part in self.model.named_children():
            part.train(mode and name in TRAINED[self.stage])
        return self

    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = torch.optim.AdamW(self._groups(), weight_decay=self.config.weight_decay)
        if self.config.schedule == "plateau":
            config = self.config
            on_plateau = ReduceLROnPlateau(
                optimizer, factor=config.plateau_factor, patience=config.plateau_patience
            )
            return {
                "optimizer": optimizer,
                "lr_scheduler": {"scheduler": on_plateau, "monitor": "loss"},
            }
        schedule = warm_up_and_cosine(optimizer, self.config, self.steps_per_epoch)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """By the norm over all processes where each has a part of the gradients."""
        whole = self.trainer.strategy.model
        if gradient_clip_val and isinstance(whole, FullyShardedDataParallel):
            whole.clip_grad_norm_(gradient_clip_val)
        else:
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)

    def _audio_answer(self, batch: Batch) -> StageAnswer:
        steps = audio_steps(self.model, batch)
        encoded, _ = self.model.parts_of_steps(steps)
        segments = self.model.audio_pooling(encoded, batch.audio_mask)  # (B, S, Da)
        said, heard = self.model.audio_head.per_encoder(segments), batch.audio_mask  # (E, B, S, C)
        members = tuple(StageAnswer(mean_of_present(one, heard), one, heard) for one in said)
        logits = said.mean(0)
        return StageAnswer(mean_of_present(logits, heard), logits, heard, members=members)

    def _visual_answer(self, batch: Batch) -> StageAnswer:
        vectors = frame_vectors(self.model, batch)
        logits = self.model.video_head(self.model.video_segments(vectors, batch.frame_mask))
        seen = seen_segments(batch.frame_mask)
        return StageAnswer(mean_of_present(logits, seen), logits, seen)

    def _loss(
        self, answer: StageAnswer, batch: Batch, targets: Targets, sounds: Targets, shown: Targets
    ) -> Tensor:
        """Of each encoder's own answer: those that learn apart err differently.

        ``sounds`` and ``shown``: the labels of what is heard and of what is seen, alone.
        """
        if answer.members:
            losses = [self._loss(one, batch, targets, sounds, shown) for one in answer.members]
            return torch.stack(losses).mean()
        config, weights = self.config, self.class_weights
        present = answer.present.any(1)
        loss = clip_loss(answer.logits, present, targets, weights)
        loss = loss + config.segment_loss * segment_loss(
            answer.segment_logits, answer.present, targets, weights
        )
        if self.stage == "visual":
            divided = division_loss(answer.segment_logits, answer.present, shown)
            loss = loss + config.division_loss * divided
        if answer.output is not None:
            seen, heard = seen_segments(batch.frame_mask), batch.audio_mask
            says = answer.output.video_logits
            # What a face says alone is measured by its own label, in a pair as well.
            own_loss = clip_loss(mean_of_present(says, seen), seen.any(1), shown, weights)
            loss = loss + config.auxiliary_loss * own_loss
            loss = loss + config.division_loss * division_loss(says, seen, shown)
            if "audio_head" in TRAINED[self.stage]:
                own = mean_of_present(answer.output.audio_logits, heard)
                own_loss = clip_loss(own, heard.any(1), sounds, weights)
                loss = loss + config.auxiliary_loss * own_loss
        return loss

    def _targets(self, labels: Targets) -> Targets:
        """``labels`` as the stage is taught them."""
        config = self.config
        return labels.sharpened(config.vote_power).smoothed(config.label_smoothing)

    def _contrast(self, output: ModelOutput, batch: Batch) -> Tensor:
        seen = seen_segments(batch.frame_mask)
        voices = self.contrast.voice(mean_of_present(output.audio_segments, batch.audio_mask))
        faces = self.contrast.face(mean_of_present(output.video_segments, seen))
        both = batch.audio_mask.any(1) & seen.any(1)
        first = 0
        all_voices, all_faces, all_both = voices, faces, both
        if self.trainer.world_size > 1:
            all_voices, all_faces = self._of_all(voices), self._of_all(faces)
            all_both = self._of_all(both.float()) > 0.5
            first = self.global_rank * len(voices)
        temperature = self.config.contrastive_temperature
        to_faces = contrastive_loss(voices, all_faces, all_both, temperature, first)
        to_voices = contrastive_loss(faces, all_voices, all_both, temperature, first)
        return (to_faces + to_voices) / 2

    def _of_all(self, part: Tensor) -> Tensor:
        """(B, ...) of this process -> (N, ...) of all, in their order; gradients flow back."""
        gathered = self.all_gather(part, sync_grads=True)
        assert isinstance(gathered, Tensor)
        return gathered.flatten(0, 1)

    def _groups(self) -> list[dict[str, Any]]:
        """Parameters with their learning rate; vectors, such as biases and norms, do not decay."""
        config = self.config
        if self.stage in ("audio", "visual"):
            rates = dict.fromkeys(TRAINED[self.stage], config.lr)
        else:
            rates = dict.fromkeys(TRAINED[self.stage], config.branch_lr)
            rates |= {
                "fusion": config.fusion_lr,
                "classifier": config.classifier_lr,
                "contrast": config.classifier_lr,
            }
        groups = []
        for part, rate in rates.items():
            begins = "contrast." if part == "contrast" else f"model.{part}."
            learnt = {
                name: p
                for name, p in self.named_parameters()
                if name.startswith(begins) and p.requires_grad
            }
            matrices = [p for name, p in learnt.items() if name in self._decaying]
            others = [p for name, p in learnt.items() if name not in self._decaying]
            groups.append({"params": matrices, "lr": rate})
            groups.append({"params": others, "lr": rate, "weight_decay": 0.0})
        return [group for group in groups if group["params"]]


def _kind(item: Item) -> tuple[Groups, bool, bool]:
    return item.groups, item.has_sound, item.has_picture


def warm_up_and_cosine(
    optimizer: torch.optim.Optimizer, config: TrainingConfig, steps_per_epoch: int
) -> LRScheduler:
    """Linear from 1 % over the warm-up, then cosines (Loshchilov and Hutter 2017)."""
    warm_up = min(config.warmup_epochs, config.epochs - 1) * steps_per_epoch
    rest = config.epochs * steps_per_epoch - warm_up
    cosine: LRScheduler
    if config.schedule == "cosine":
        end = config.lr_end

        def share(step: int) -> float:
            return end + (1 - end) * (1 + math.cos(math.pi * min(step / max(rest, 1), 1))) / 2

        cosine = LambdaLR(optimizer, share)
    else:
        period = min(config.restart_epochs * steps_per_epoch, max(rest, 1))
        cosine = CosineAnnealingWarmRestarts(optimizer, period, config.restart_factor)
    if not warm_up:
        return cosine
    rise = LinearLR(optimizer, start_factor=0.01, total_iters=warm_up)
    return SequentialLR(optimizer, [rise, cosine], milestones=[warm_up])


def _checkpoint_activations(model: MultimodalFER, on: bool) -> None:
    """Compute activations of the encoders again in the backward pass instead of keeping them."""
    for encoder in (*model.audio_branch.encoders, model.visual_branch.encoder):
        if on:
            encoder.activation_checkpointing_enable()
        else:
            encoder.activation_checkpointing_disable()
