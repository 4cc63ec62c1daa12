from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from fer_core.config import AudioConfig, FERConfig
from fer_core.data.batch import Batch
from fer_core.data.item import EACH_ALONE, NEUTRAL_OR_CALM, Item, one_emotion
from fer_core.data.targets import Targets
from fer_core.model.multimodal_fer import MultimodalFER
from fer_core.training.config import StageName, TrainingConfig
from fer_core.training.task import CONTRASTS, Contrast, Task, warm_up_and_cosine
from fer_core.training.trained_parts import TRAINED
from fer_core.weights import new_model

MakeTask = Callable[..., Task]
STAGES: tuple[StageName, ...] = ("audio", "visual", "fusion", "joint")


@pytest.fixture
def conv(network: FERConfig) -> FERConfig:
    """With statistics of batches, dropout and frames."""
    vision = replace(network.vision, stem="conv", stem_blocks=1)
    return replace(network, vision=vision, audio=replace(network.audio, dropout=0.2))


@pytest.fixture
def make_task(
    conv: FERConfig, plain: TrainingConfig, corrected: Callable[..., MultimodalFER]
) -> MakeTask:
    def make(stage: StageName, config: FERConfig = conv, **changes: Any) -> Task:
        torch.manual_seed(0)
        model = corrected(new_model(config, seed=0))
        training = replace(plain, **changes)
        task = Task(model, Contrast(config), stage, training, torch.ones(8), steps_per_epoch=1)
        task._trainer = OneProcess()  # type: ignore[assignment]
        return task

    return make


class OneProcess:
    """What a task wants to know of its Trainer outside of one."""

    world_size = 1
    global_rank = 0


def clips(emotions: tuple[int, ...] = (3, 4), groups: Any = EACH_ALONE) -> Batch:
    """A voice and a face for each emotion, unlike those of another; the first lacks a little."""
    items = [
        Item("x", Path("x"), "recording", True, True, one_emotion(emotion), groups)
        for emotion in emotions
    ]
    count = len(items)
    noise = torch.Generator().manual_seed(0)
    frame_mask, audio_mask = torch.ones(count, 16).bool(), torch.ones(count, 8).bool()
    frame_mask[0, :3] = audio_mask[0, 6:] = False
    rois = torch.zeros(14, 14, dtype=torch.bool)
    rois[3:11, 3:11] = True
    return Batch(
        Targets.of(items),
        Targets.of(items),
        Targets.of(items),
        frame_mask,
        audio_mask,
        pictures=torch.rand(count, 1, 3, 224, 224, generator=noise).repeat(1, 16, 1, 1, 1),
        rois=rois.flatten().expand(count, 16, 196),
        vectors=None,
        spectra=torch.randn(count, 301, 160, generator=noise) - 7,
        steps=None,
    )


@pytest.fixture(autouse=True)
def silent_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Task, "log", lambda *_, **__: None)


def step(task: Task, batch: Batch) -> torch.Tensor:
    (optimizer,) = [task.configure_optimizers()["optimizer"]]
    loss = task.training_step(batch, 0)
    loss.backward()
    optimizer.step()
    return loss.detach()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_trains_exactly_its_parts(stage: StageName, make_task: MakeTask) -> None:
    task = make_task(stage)
    before = {name: tensor.clone() for name, tensor in task.state_dict().items()}
    step(task, clips())
    changed = {
        name.removeprefix("model.").split(".")[0]
        for name, tensor in task.state_dict().items()
        if not torch.equal(tensor, before[name])
    }
    expected = {*TRAINED[stage], *({"contrast"} if stage in CONTRASTS else ())}
    if stage == "visual":
        expected.remove("video_pooling")  # what stands for an unseen segment is learnt by fusion
    assert changed == expected


@pytest.mark.parametrize("stage", STAGES)
def test_frozen_parts_neither_drop_out_nor_gather_statistics(
    stage: StageName, make_task: MakeTask
) -> None:
    task = make_task(stage)
    for name, part in task.model.named_children():
        assert part.training == (name in TRAINED[stage])
    task.eval()
    task.train()
    assert task.model.training
    for name, part in task.model.named_children():
        assert {module.training for module in part.modules()} == {name in TRAINED[stage]}


@pytest.mark.parametrize("stage", STAGES)
def test_every_weight_that_is_trained_has_a_gradient(stage: StageName, make_task: MakeTask) -> None:
    """Or several processes would wait for it."""
    task = make_task(stage)
    task.training_step(clips(), 0).backward()
    for name, parameter in task.named_parameters():
        assert parameter.requires_grad == (parameter.grad is not None), name


def test_what_the_configuration_freezes_stays_frozen(make_task: MakeTask, conv: FERConfig) -> None:
    frozen = replace(
        conv,
        audio=replace(conv.audio, frozen=True),
        vision=replace(conv.vision, frozen=True),
        fusion=replace(conv.fusion, frozen=True),
    )
    task = make_task("joint", frozen)
    before = {name: tensor.clone() for name, tensor in task.state_dict().items()}
    step(task, clips())
    for name, tensor in task.state_dict().items():
        within = ("audio_branch.encoders", "visual_branch.encoder", "fusion.joining")
        if name.removeprefix("model.").startswith(within):
            assert torch.equal(tensor, before[name]), name
    pooling = "model.visual_branch.pooling.query"
    assert not torch.equal(task.state_dict()[pooling], before[pooling])


def test_a_pretrained_encoders_batch_norm_is_never_trained(
    make_task: MakeTask, conv: FERConfig
) -> None:
    audio: AudioConfig = replace(conv.audio, batch_norm=True)
    task = make_task("audio", replace(conv, audio=audio))
    norms = [
        module
        for module in task.model.audio_branch.modules()
        if isinstance(module, torch.nn.BatchNorm1d)
    ]
    assert norms
    assert not any(norm.training for norm in norms)
    assert not any(parameter.requires_grad for norm in norms for parameter in norm.parameters())


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("mixup", [0.0, 1.0])
def test_what_lies_behind_masks_changes_nothing(
    stage: StageName, mixup: float, make_task: MakeTask
) -> None:
    batch = clips()
    assert batch.pictures is not None
    assert batch.spectra is not None
    pictures, mel = batch.pictures.clone(), batch.spectra.clone()
    pictures[0, :3] = torch.nan
    mel[0, 226:] = torch.nan  # from 2,260 ms: the last two segments
    losses = []
    for given in (batch, replace(batch, pictures=pictures, spectra=mel)):
        task = make_task(stage, mixup=mixup, mix_share=1.0)
        torch.manual_seed(1)
        loss = task.training_step(given, 0)
        loss.backward()
        losses.append(loss.detach())
        for name, parameter in task.named_parameters():
            assert parameter.grad is None or parameter.grad.isfinite().all(), name
    assert losses[0].isfinite()
    torch.testing.assert_close(losses[0], losses[1])


@pytest.mark.parametrize("stage", STAGES)
def test_a_clip_with_nothing_at_all_is_harmless(stage: StageName, make_task: MakeTask) -> None:
    batch = clips()
    nothing = replace(
        batch,
        frame_mask=torch.zeros_like(batch.frame_mask),
        audio_mask=torch.zeros_like(batch.audio_mask),
    )
    task = make_task(stage)
    loss = task.training_step(nothing, 0)
    assert loss == 0
    loss.backward()
    for parameter in task.parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all()


@pytest.mark.parametrize("missing", ["pictures", "spectra"])
def test_a_batch_without_a_modality_trains_the_rest(missing: str, make_task: MakeTask) -> None:
    names = ("pictures", "rois") if missing == "pictures" else ("spectra",)
    mask = "frame_mask" if missing == "pictures" else "audio_mask"
    batch = clips()
    batch = replace(
        batch,
        **dict.fromkeys(names),
        **{mask: torch.zeros_like(getattr(batch, mask))},
    )
    loss = step(make_task("joint"), batch)
    assert loss.isfinite()
    assert loss > 0


@pytest.mark.parametrize("stage", STAGES)
def test_two_clips_are_learnt_by_heart(
    stage: StageName, make_task: MakeTask, network: FERConfig
) -> None:
    task = make_task(
        stage,
        network,
        lr=1e-2,
        fusion_lr=1e-2,
        classifier_lr=1e-2,
        branch_lr=1e-3,
        label_smoothing=0.0,
    )
    optimizer = task.configure_optimizers()["optimizer"]
    batch = clips(groups=EACH_ALONE)
    for _ in range(60):
        optimizer.zero_grad()
        loss = task.training_step(batch, 0)
        loss.backward()
        optimizer.step()
        if loss < 0.1:
            break
    task.eval()
    assert task(batch).logits.argmax(1).tolist() == [3, 4]
    assert loss < 0.6


def test_the_two_labels_of_a_mixed_clip_share_its_loss(make_task: MakeTask) -> None:
    task = make_task("audio", mixup=1.0, mix_share=1.0, contrastive_loss=0.0).eval()
    batch = clips((3, 3))
    alike = replace(
        batch,
        spectra=batch.spectra[:1].expand(2, -1, -1),
        audio_mask=torch.ones_like(batch.audio_mask),
    )
    torch.manual_seed(0)
    mixed = task.training_step(alike, 0)
    task.config = replace(task.config, mixup=0.0)
    torch.testing.assert_close(mixed, task.training_step(alike, 0))


def test_neutral_or_calm_is_one_in_every_loss(make_task: MakeTask) -> None:
    task = make_task("joint", label_smoothing=0.0, contrastive_loss=0.0).eval()
    neutral, calm = (
        task.training_step(clips((0, 0), groups), 0) for groups in (EACH_ALONE, NEUTRAL_OR_CALM)
    )
    assert calm < neutral


def test_activations_that_are_computed_again_give_the_same_gradients(
    make_task: MakeTask,
) -> None:
    gradients, times = [], []
    for checkpointing in (False, True):
        task = make_task("joint", gradient_checkpointing=checkpointing)
        computed: list[object] = []
        for layer in (
            task.model.audio_branch.encoders[0].layers[0].conv,
            task.model.visual_branch.encoder.encoder.layers[0].mlp,
        ):
            layer.register_forward_pre_hook(lambda module, _, to=computed: to.append(module))
        torch.manual_seed(0)
        task.training_step(clips(), 0).backward()
        gradients.append({name: p.grad for name, p in task.named_parameters()})
        times.append(len(computed))
    assert times == [2, 4]
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, msg=name)


def rates(task: Task) -> dict[str, set[float]]:
    """The learning rates of each part."""
    names = {id(parameter): name for name, parameter in task.named_parameters()}
    found: dict[str, set[float]] = {}
    for group in task.configure_optimizers()["optimizer"].param_groups:
        for parameter in group["params"]:
            part = names[id(parameter)].removeprefix("model.").split(".")[0]
            found.setdefault(part, set()).add(group["initial_lr"])
    return found


def test_each_part_has_its_learning_rate(make_task: MakeTask) -> None:
    changes = {"lr": 1e-3, "branch_lr": 1e-5, "fusion_lr": 5e-5, "classifier_lr": 1e-4}
    assert rates(make_task("joint", **changes)) == {
        "audio_branch": {1e-5},
        "audio_pooling": {1e-5},
        "audio_head": {1e-5},
        "visual_branch": {1e-5},
        "temporal_encoder": {1e-5},
        "video_pooling": {1e-5},
        "video_head": {1e-5},
        "fusion": {5e-5},
        "classifier": {1e-4},
        "contrast": {1e-4},
    }
    assert rates(make_task("fusion", **changes)) == {
        "temporal_encoder": {1e-5},
        "video_pooling": {1e-5},
        "video_head": {1e-5},
        "fusion": {5e-5},
        "classifier": {1e-4},
        "contrast": {1e-4},
    }
    assert rates(make_task("audio", **changes)) == {
        "audio_branch": {1e-3},
        "audio_pooling": {1e-3},
        "audio_head": {1e-3},
    }


def test_biases_and_norms_do_not_decay(make_task: MakeTask) -> None:
    for group in make_task("joint").configure_optimizers()["optimizer"].param_groups:
        for parameter in group["params"]:
            assert (group["weight_decay"] > 0) == (parameter.ndim > 1)


@pytest.mark.parametrize("schedule", ["cosine", "cosine_restarts"])
def test_the_rate_rises_then_falls_to_zero(schedule: Any) -> None:
    config = TrainingConfig(
        epochs=8, warmup_epochs=2, schedule=schedule, restart_epochs=2, restart_factor=2
    )
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = warm_up_and_cosine(optimizer, config, steps_per_epoch=10)
    seen = []
    for _ in range(80):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert seen[0] == pytest.approx(0.01)
    assert seen[:21] == sorted(seen[:21])
    assert seen[20] == pytest.approx(1.0)
    if config.schedule == "cosine":
        assert seen[20:] == sorted(seen[20:], reverse=True)
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-9)
    else:  # 20 steps to the first restart, then 40
        assert seen[39] < 0.01
        assert seen[40] == pytest.approx(1.0)
        assert seen[60] == pytest.approx(0.5)
        assert seen[79] < 0.01


def test_a_cosine_may_end_above_zero() -> None:
    config = TrainingConfig(epochs=4, warmup_epochs=0, schedule="cosine", lr_end=0.25)
    rates = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    groups = [{"params": [rates[0]], "lr": 1.0}, {"params": [rates[1]], "lr": 0.1}]
    optimizer = torch.optim.SGD(groups)
    schedule = warm_up_and_cosine(optimizer, config, steps_per_epoch=10)
    for _ in range(40):
        optimizer.step()
        schedule.step()
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.25, 0.025])


def test_a_batch_moves_to_a_device_whole() -> None:
    moved = clips().to(torch.device("meta"))
    tensors = [getattr(moved, field.name) for field in fields(moved)]
    assert {t.device.type for t in tensors if isinstance(t, torch.Tensor)} == {"meta"}
    assert moved.targets.shares.device.type == "meta"


def test_encoders_of_one_branch_learn_apart(make_task: MakeTask, conv: FERConfig) -> None:
    audio = replace(conv.audio, encoders=("stemmed", "convolutional"), dropout=0.0)
    gradients = []
    for scale in (1.0, 0.5):
        task = make_task("audio", replace(conv, audio=audio))
        head = task.model.audio_head.heads
        for parameter in head[1].parameters():
            parameter.data *= scale
        task.training_step(clips(), 0).backward()
        gradients.append([head[0][-1].weight.grad, head[1][-1].weight.grad])
    assert gradients[0][0].abs().sum() > 0
    torch.testing.assert_close(gradients[0][0], gradients[1][0])
    assert not torch.allclose(gradients[0][1], gradients[1][1])


@pytest.mark.parametrize("stage", ["audio", "visual", "fusion"])
def test_a_mixed_clip_is_answered_by_both_labels_in_their_shares(
    stage: StageName, make_task: MakeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, batch, order = (
        make_task(stage, contrastive_loss=0.0).eval(),
        clips(),
        torch.tensor([1, 0]),
    )
    other_labels = {
        name: getattr(batch, name).shuffled(order) for name in ("targets", "heard", "shown")
    }
    turned = replace(batch, **other_labels)

    def loss(given: Batch, order: torch.Tensor | None, share: float) -> torch.Tensor:
        monkeypatch.setattr("fer_core.training.task.mixed", lambda *_: (given, order, share))
        return task.training_step(given, 0).detach()

    own, other = loss(batch, None, 1.0), loss(turned, None, 1.0)
    assert abs(own - other) > 1e-4
    torch.testing.assert_close(loss(batch, order, 0.25), 0.25 * own + 0.75 * other)
