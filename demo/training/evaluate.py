"""Evaluate a PyTorch checkpoint on the development set, and on demand on the exam.

    python evaluate.py [work/best.pt]            development set, failures listed by entry
    python evaluate.py [work/best.pt] --exam     the exam's score; greedy text goes to work/exam.torch.json

Development questions are scored by teacher forcing: greedy decoding gives exactly the canonical
answer if and only if every token of it is the most likely one after the tokens before it. That is
one pass per question instead of one per token. The exam is really generated, token by token.
"""
import json
import sys

import torch
from tokenizers import Tokenizer

import augment
import handbook
import model as llama
import train_tokenizer


@torch.no_grad()
def teacher_forced(model, data, questions, batch=32):
    """(number of questions answered exactly, [(entry, wording)] of the others)."""
    was, wrong = model.training, []
    model.eval()
    for at in range(0, len(questions), batch):
        chunk, rows = questions[at:at + batch], []
        for e, text in chunk:
            prompt = data.prompt(text)
            rows.append((len(prompt), prompt + data.answers[e.slug] + [data.end]))
        longest = max(len(ids) for _, ids in rows)
        ids = torch.tensor([ids + [0] * (longest - len(ids)) for _, ids in rows])
        guess = model.logits(model(ids)).argmax(-1)
        for (e, text), row, (start, full) in zip(chunk, range(len(rows)), rows):
            if guess[row, start - 1:len(full) - 1].tolist() != full[start:]:
                wrong.append((e, text))
    model.train(was)
    return len(questions) - len(wrong), wrong


@torch.no_grad()
def greedy(model, data, text, limit=120):
    ids = data.prompt(text)
    start = len(ids)
    while len(ids) - start < limit:
        ids.append(int(model.logits(model(torch.tensor([ids]))[0, -1]).argmax()))
        if ids[-1] == data.end:
            return data.tokenizer.decode(ids[start:-1], skip_special_tokens=False)
    return data.tokenizer.decode(ids[start:], skip_special_tokens=False) + " [did not end]"


def load(path):
    state = torch.load(path, weights_only=True)
    model = llama.Model(llama.Config(**state["config"]))
    model.load_state_dict(state["model"])
    return model.eval(), state


def main():
    names = [x for x in sys.argv[1:] if not x.startswith("--")]
    path = names[0] if names else handbook.HERE / "work" / "best.pt"
    torch.set_num_threads(2)
    entries = handbook.load()
    exam = handbook.exam_items(entries)
    model, _ = load(path)
    data = augment.Conversations(entries, Tokenizer.from_file(str(train_tokenizer.FILE)))
    if "--exam" in sys.argv:
        results = [{"id": i["id"], "question": i["question"], "text": greedy(model, data, i["question"])}
                   for i in exam]
        right = sum(all(f.lower() in r["text"].lower() for f in i["facts"])
                    for i, r in zip(exam, results))
        same = sum(r["text"] == i["answer"] for i, r in zip(exam, results))
        (handbook.HERE / "work" / "exam.torch.json").write_text(json.dumps(results, indent=1))
        print(f"exam: {right}/{len(exam)} with all facts, {same} word for word")
        return
    questions = handbook.development_set(entries, exam)
    right, wrong = teacher_forced(model, data, questions)
    for e, text in wrong:
        print(f"{e.slug}\n   asked  {text}\n   said   {greedy(model, data, text)}\n   wanted {e.answer}")
    print(f"development: {right}/{len(questions)} exact")


if __name__ == "__main__":
    main()
