"""Stage 2: trains language model and towers together, in one or two processes.

Two ranks (gloo): rank 0 draws pictures, rank 1 clips and text; the gradients of the
language model are summed. One process with PARTS=sound trains on clips and text only.
Environment: RANK, WORLD_SIZE, PARTS, TOWERS, RATE, EASY, SEED, OMP_NUM_THREADS. Usage: python joint.py MINUTES FOLDER WORK [INIT]
FOLDER holds the state and is taken up again; INIT is another such folder to start from.
A number in FOLDER/minutes changes the length while it runs.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from batches import Pictures, PictureTalks, Sounds, SoundTalks, Texts, talk_batch
from dev import report
from digits import DEV_START
from hear import ctc_loss
from muon import Pair
from network import Helpers, build, merge, use_fast_audio, use_pool_cells
from see import facts_loss
from sound import load_bank
from tokenizers import Tokenizer
from torch.nn import functional
from tower import encode

RATE = float(os.environ.get("RATE", "3e-3"))
TOWER_RATE = 0.8
HELP = 0.6
"""Weight of the helper heads' losses."""
SAVE_EVERY = 240.0
SOUND_EVERY = 6
"""One process with all parts has clips, or text, in one step of so many."""
EASY = float(os.environ.get("EASY", "0.4"))
"""Share of the stage in which most pictures have dropped cells."""


class Training:
    """The networks, the data and the optimisers of one rank."""

    def __init__(self, folder: Path, work: Path, init: Path | None) -> None:
        self.rank = int(os.environ.get("RANK", "0"))
        self.ranks = int(os.environ.get("WORLD_SIZE", "1"))
        self.parts = os.environ.get("PARTS", "picture" if self.rank == 0 else "sound").split(",")
        self.folder, self.network, self.helpers = folder, build(), Helpers()
        use_pool_cells(self.network)
        use_fast_audio()
        self.tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
        self.step, self.minutes = 0, 0.0
        start = folder if (folder / "model.pt").exists() else init
        self.load(work, start)
        self.encode = torch.compile(encode, dynamic=True)
        vision = ("model.vision_tower", "model.embed_vision")
        audio = ("model.audio_tower", "model.embed_audio")
        named = list(self.network.named_parameters())
        self.vision = [(n, p) for n, p in named if n.startswith(vision)]
        self.audio = [(n, p) for n, p in named if n.startswith(audio)]
        language = [(n, p) for n, p in named if not n.startswith(vision + audio)]
        heads = list(self.helpers.named_parameters("head"))
        self.vision += [(n, p) for n, p in heads if "vision" in n]
        self.audio += [(n, p) for n, p in heads if "audio" in n]
        mine = (self.vision if "picture" in self.parts else []) + (
            self.audio if "sound" in self.parts else []
        )
        self.language, self.towers = Pair(language), Pair(mine, TOWER_RATE)
        state = folder / f"rank{self.rank}.pt"
        if state.exists():
            saved = torch.load(state)
            self.language.restore(saved["language"])
            self.towers.restore(saved["towers"])
        seed = 1000 * self.rank + self.step + int(os.environ.get("SEED", "17"))
        self.rng = np.random.default_rng(seed)
        self.pictures = PictureTalks(self.rng, int(os.environ.get("DIGITS", str(DEV_START))))
        bank = load_bank(sorted(work.glob("bank_train_*.pkl"))) if "sound" in self.parts else []
        self.sounds = SoundTalks(self.rng, bank, 8)
        self.dev_bank = load_bank([work / "bank_dev.pkl"])

    def load(self, work: Path, start: Path | None) -> None:
        """Takes up a state, and towers trained alone where the state says nothing of them."""
        if start is not None:
            saved = torch.load(start / "model.pt")
            self.network.load_state_dict(saved["network"])
            self.helpers.load_state_dict(saved["helpers"])
            if start == self.folder:
                self.step, self.minutes = saved["step"], saved["minutes"]
        for name in os.environ.get("TOWERS", "").split(","):
            if not name or start == self.folder:
                continue
            tower = torch.load(work / f"{name}.pt")
            part = "vision" if name == "see" else "audio"
            getattr(self.network.model, f"{part}_tower").load_state_dict(tower["tower"])
            heads = {k: v for k, v in tower["helpers"].items() if k.startswith(part)}
            self.helpers.load_state_dict(heads, strict=False)

    def answer_loss(self, texts: Texts, soft: torch.Tensor | None) -> torch.Tensor:
        """Cross-entropy of the learnt positions, with the soft tokens in their places."""
        hidden = merge(self.network, texts.ids, soft)
        learnt = texts.labels[:, 1:] != -100
        logits = self.network.lm_head(hidden[:, :-1][learnt])
        logits = torch.tanh(logits / 30) * 30
        return functional.cross_entropy(logits, texts.labels[:, 1:][learnt])

    def picture_losses(self, batch: Pictures) -> tuple[torch.Tensor, torch.Tensor]:
        """(answers, helper heads)."""
        model = self.network.model
        states = self.encode(model.vision_tower, batch.patches, batch.positions)
        soft = model.embed_vision(inputs_embeds=states[batch.order].flatten(0, 1))
        answers = self.answer_loss(batch.texts, soft)
        return answers, facts_loss(self.helpers.facts(states), batch.items)

    def sound_losses(self, batch: Sounds) -> tuple[torch.Tensor, torch.Tensor]:
        """(answers, CTC)."""
        model = self.network.model
        out = model.audio_tower(batch.mels, batch.mask)
        states, valid = out.last_hidden_state, out.attention_mask
        soft = model.embed_audio(
            inputs_embeds=torch.cat([states[i][valid[i]] for i in batch.order])
        )
        answers = self.answer_loss(batch.texts, soft)
        return answers, ctc_loss(self.helpers.speech(states), batch.labels, batch.mask.numpy())

    def gradients(self, share: float) -> dict[str, float]:
        """One backward pass over this rank's data; returns the losses."""
        losses = {}
        if "picture" in self.parts:
            answers, help_ = self.picture_losses(
                self.pictures.batch(self.tokenizer, 12, share < EASY)
            )
            (answers + HELP * help_).backward()
            losses |= {"picture": answers.item(), "facts": help_.item()}
        if "sound" in self.parts and (self.ranks > 1 or self.step % SOUND_EVERY == 0):
            answers, help_ = self.sound_losses(self.sounds.batch(self.tokenizer))
            (answers + HELP * help_).backward()
            losses |= {"sound": answers.item(), "ctc": help_.item()}
        if "sound" in self.parts and (self.ranks > 1 or self.step % SOUND_EVERY == 1):
            answers = self.answer_loss(talk_batch(self.rng, self.tokenizer, 6), None)
            answers.backward()
            losses |= {"text": answers.item()}
        return losses

    def update(self, rate: float) -> float:
        """Sums the language model's gradients over the ranks and updates everything."""
        if self.ranks > 1:
            weights = self.language.weights
            flat = torch.cat(
                [(torch.zeros_like(w) if w.grad is None else w.grad).flatten() for w in weights]
            )
            dist.all_reduce(flat)
            for weight, part in zip(weights, flat.split([w.numel() for w in weights]), strict=True):
                weight.grad = part.view_as(weight)
        norm = self.language.clip(1.0)
        self.towers.clip(1.0)
        self.language.step(rate)
        self.towers.step(rate)
        self.step += 1
        return norm

    def save(self) -> None:
        """Brings the towers of both ranks together and writes the state."""
        if self.ranks > 1:
            for source, group in ((0, self.vision), (1, self.audio)):
                for _, weight in group:
                    dist.broadcast(weight.data, source)
        self.folder.mkdir(parents=True, exist_ok=True)
        write(self.folder / f"rank{self.rank}.pt",
              {"language": self.language.state(), "towers": self.towers.state()})  # fmt: skip
        if self.rank == 0 or self.ranks == 1:
            write(self.folder / "model.pt", {
                "network": self.network.state_dict(), "helpers": self.helpers.state_dict(),
                "step": self.step, "minutes": self.minutes})  # fmt: skip
        print(self.rank, "DEV", self.step, report(self), flush=True)


def write(path: Path, state: dict) -> None:
    """Writes a state so that a crash never leaves half of it."""
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def shared(training: Training, value: float) -> float:
    """The value of rank 0 in all ranks."""
    if training.ranks == 1:
        return value
    holder = torch.tensor([value])
    dist.broadcast(holder, 0)
    return float(holder)


def main() -> None:
    """Trains for some minutes of wall time."""
    minutes, folder, work = float(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        dist.init_process_group("gloo")
    training = Training(folder, work, Path(sys.argv[4]) if len(sys.argv) > 4 else None)
    start, saved, means = time.time() - 60 * training.minutes, time.time(), {}
    while True:
        if (folder / "minutes").exists():
            minutes = float((folder / "minutes").read_text())
        training.minutes = (time.time() - start) / 60
        share = shared(training, training.minutes / minutes)
        if share >= 1:
            break
        rate = RATE * min(1, (training.step + 1) / 60) * (1 - 0.97 * share)
        losses = training.gradients(share)
        norm = training.update(rate)
        for name, value in losses.items():
            means[name] = 0.96 * means.get(name, value) + 0.04 * value
        if training.step % 20 == 0:
            shown = {name: round(value, 3) for name, value in means.items()}
            print(f"{training.rank} step {training.step} {training.minutes:.1f} min", shown,
                  f"norm {norm:.2f}", flush=True)  # fmt: skip
        if shared(training, float(time.time() - saved > SAVE_EVERY)) > 0:
            training.save()
            saved = time.time()
    training.save()
    if training.ranks > 1:
        dist.barrier()
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
