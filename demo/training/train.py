"""Train the model on the CPU and keep the best checkpoint.

    nohup nice -n 5 python train.py --minutes 30 > work/train.log 2>&1 &

Needs work/tokenizer.json. Writes work/last.pt every few hundred steps and work/best.pt whenever
the development set (never the exam) is answered better. The learning rate warms up and then
follows a cosine over the *time* given, so a run always ends well annealed.
"""
import argparse
import dataclasses
import math
import time

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

import augment
import evaluate
import handbook
import model as llama
import train_tokenizer


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--minutes", type=float, default=30)
    p.add_argument("--tokens", type=int, default=3072, help="tokens of a step, padding included")
    p.add_argument("--lr", type=float, default=2.5e-3)
    p.add_argument("--warmup", type=int, default=100)
    p.add_argument("--decay", type=float, default=0.1)
    p.add_argument("--width", type=int, default=256)
    p.add_argument("--layers", type=int, default=4)
    p.add_argument("--heads", type=int, default=8)
    p.add_argument("--hidden", type=int, default=640)
    p.add_argument("--dropout", type=float, default=0.1)
    p.add_argument("--question-weight", type=float, default=0.1)
    p.add_argument("--cut", type=float, default=0.7,
                   help="share of single answers of which only the first words are trained")
    p.add_argument("--every", type=int, default=300, help="steps between evaluations")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--resume", help="a checkpoint to continue from, with a new schedule")
    p.add_argument("--name", default="", help="prefix of the checkpoint files")
    a = p.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    work = handbook.HERE / "work"

    entries = handbook.load()
    handbook.assert_held_out(entries)
    exam = handbook.exam_items(entries)
    development = handbook.development_set(entries, exam)
    tokenizer = Tokenizer.from_file(str(train_tokenizer.FILE))
    data = augment.Conversations(entries, tokenizer, a.seed, a.question_weight, a.cut)
    config = llama.Config(vocab=tokenizer.get_vocab_size(), width=a.width, layers=a.layers,
                          heads=a.heads, hidden=a.hidden, dropout=a.dropout)
    model = llama.Model(config)
    if a.resume:
        model.load_state_dict(torch.load(a.resume, weights_only=True)["model"])
    print(f"{sum(w.numel() for w in model.parameters()):,} parameters, {len(entries)} entries, "
          f"{len(development)} development questions", flush=True)
    matrices = [w for w in model.parameters() if w.dim() > 1]
    vectors = [w for w in model.parameters() if w.dim() == 1]
    optimiser = torch.optim.AdamW([{"params": matrices, "weight_decay": a.decay},
                                   {"params": vectors, "weight_decay": 0.0}],
                                  lr=a.lr, betas=(0.9, 0.98), fused=True)
    began, best, seen, losses = time.time(), -1.0, 0, []
    step = 0
    for ids, weights in data.batches(a.tokens):
        part = (time.time() - began) / (a.minutes * 60)
        if part >= 1:
            break
        rate = a.lr * min(1, (step + 1) / a.warmup) * (0.01 + 0.99 * (1 + math.cos(math.pi * part)) / 2)
        for group in optimiser.param_groups:
            group["lr"] = rate
        ids, weights = torch.tensor(ids), torch.tensor(weights)[:, 1:].reshape(-1)
        # Only the tokens that carry weight need logits; their number is rounded up (see batches).
        used = weights.nonzero()[:, 0]
        used = F.pad(used, (0, -len(used) % 256))
        padding = torch.arange(len(used)) >= (weights > 0).sum()
        with torch.autocast("cpu", torch.bfloat16):
            hidden = model(ids)[:, :-1].reshape(len(weights), -1)
            logits = model.logits(hidden[used])
        loss = F.cross_entropy(logits.float(), ids[:, 1:].reshape(-1)[used], reduction="none")
        loss = (loss * weights[used].masked_fill(padding, 0)).sum() / weights.sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        losses.append(loss.item())
        seen += ids.numel()
        step += 1
        if step % 50 == 0:
            print(f"step {step} loss {sum(losses[-50:]) / 50:.4f} rate {rate:.5f} "
                  f"tokens {seen / 1e6:.1f}M {time.time() - began:.0f}s", flush=True)
        if step % a.every == 0:
            best = keep(model, config, data, development, work, a.name, step, best)
    keep(model, config, data, development, work, a.name, step, best)
    print(f"done: {step} steps, {seen / 1e6:.1f}M tokens, {time.time() - began:.0f}s", flush=True)


def keep(model, config, data, development, work, name, step, best):
    right, wrong = evaluate.teacher_forced(model, data, development)
    share = right / max(1, len(development))
    print(f"step {step} development {right}/{len(development)} {share:.3f}", flush=True)
    state = {"config": dataclasses.asdict(config), "step": step, "model": model.state_dict()}
    torch.save(state, work / f"{name}last.pt")
    if share >= best:
        torch.save(state, work / f"{name}best.pt")
    return max(best, share)


if __name__ == "__main__":
    main()
