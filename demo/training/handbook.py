"""Read the handbook, check its format, and fix the exam.

    python handbook.py check     report every format problem, exit 1 if any
    python handbook.py exam      write ../exam.json (50 held-out questions) and
                                 work/development.json (the other held-out questions)

A handbook file is a list of entries:

    ## slug.of.entry
    F: fact | another fact      strings a right answer must contain
    A: the canonical answer
    Q: a wording used for training              (12 or more)
    T: a held-out wording, never used for training   (2 or more)

The exam takes 50 of the T wordings by a rule that looks only at the slugs (see
`exam_items`). The T wordings that are not in the exam are the development set.
"""
import hashlib
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
HANDBOOK = HERE.parent / "handbook"
EXAM = HERE.parent / "exam.json"
EXAM_SIZE = 50


@dataclass
class Entry:
    file: str
    slug: str
    line: int
    facts: list = field(default_factory=list)
    answer: str = ""
    q: list = field(default_factory=list)
    t: list = field(default_factory=list)


def normalise(text):
    """What makes two wordings the same: case, punctuation and spacing do not count."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def load(folder=HANDBOOK):
    """All entries, files in name order, entries in file order."""
    entries = []
    for path in sorted(Path(folder).glob("*.txt")):
        for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
            line = line.strip()
            if line.startswith("## "):
                entries.append(Entry(path.name, line[3:].strip(), number))
            elif line[:2] in ("F:", "A:", "Q:", "T:") and entries:
                key, text, entry = line[0], line[2:].strip(), entries[-1]
                if key == "F":
                    entry.facts += [f.strip() for f in text.split("|") if f.strip()]
                elif key == "A":
                    entry.answer = (entry.answer + " " + text).strip()
                elif key == "Q":
                    entry.q.append(text)
                else:
                    entry.t.append(text)
            elif line and not line.startswith("# "):
                raise SystemExit(f"{path.name}:{number}: not a handbook line: {line[:60]}")
    return entries


def problems(entries):
    """Every breach of the format, as text."""
    found, slugs, wordings = [], {}, {}
    for e in entries:
        where = f"{e.file}:{e.line} {e.slug}"
        if e.slug in slugs:
            found.append(f"{where}: slug also at {slugs[e.slug]}")
        slugs[e.slug] = where
        if not e.facts or len(e.facts) > 3:
            found.append(f"{where}: {len(e.facts)} facts")
        for fact in e.facts:
            if fact.lower() not in e.answer.lower():
                found.append(f"{where}: fact not in the answer: {fact}")
        if not 8 <= len(e.answer.split()) <= 40:
            found.append(f"{where}: the answer has {len(e.answer.split())} words")
        if not e.answer.isascii():
            found.append(f"{where}: the answer is not plain ASCII")
        if len(e.q) < 12:
            found.append(f"{where}: {len(e.q)} Q wordings")
        if len(e.t) < 2:
            found.append(f"{where}: {len(e.t)} T wordings")
        for kind, text in [("Q", q) for q in e.q] + [("T", t) for t in e.t]:
            other = wordings.setdefault(normalise(text), f"{kind} of {e.slug}")
            if other != f"{kind} of {e.slug}" or wordings.get((e.slug, normalise(text))):
                found.append(f"{where}: {kind} wording used twice ({other}): {text}")
            wordings[(e.slug, normalise(text))] = True
    return found


def wording_of(slug, wordings):
    """One of the wordings, picked by the SHA-256 of the slug."""
    return wordings[int(hashlib.sha256(("omni exam " + slug).encode()).hexdigest(), 16) % len(wordings)]


# Areas (first part of the slug) that the exam must ask at least this often.
AT_LEAST = {"identity": 3, "offtopic": 2}


def exam_items(entries, size=EXAM_SIZE):
    """The exam: a pure function of the handbook's order and slugs, so no result can steer it.

    First the areas of AT_LEAST get their seats, evenly spaced over their T wordings. The other
    seats go to the other entries at even distances in file order (which is by topic), so every
    part of every file is asked. Of an entry's T wordings the hash of its slug picks one.
    """
    items = []

    def ask(e, wording):
        items.append({"id": e.slug, "question": wording, "facts": e.facts, "answer": e.answer})

    for area, seats in AT_LEAST.items():
        inside = [(e, t) for e in entries if e.slug.split(".")[0] == area for t in e.t]
        for i in range(seats):
            ask(*inside[int((i + 0.5) * len(inside) / seats)])
    others = [e for e in entries if e.slug.split(".")[0] not in AT_LEAST]
    seats = size - len(items)
    for i in range(seats):
        e = others[int((i + 0.5) * len(others) / seats)]
        ask(e, wording_of(e.slug, e.t))
    assert len(items) == size and len({i["question"] for i in items}) == size
    return items


def development_set(entries, exam):
    """[(entry, wording)] of all T wordings that the exam does not ask."""
    asked = {i["question"] for i in exam}
    return [(e, t) for e in entries for t in e.t if t not in asked]


def assert_held_out(entries):
    """No T wording may be, after normalisation, a Q wording of any entry."""
    training = {normalise(q) for e in entries for q in e.q}
    leaked = [t for e in entries for t in e.t if normalise(t) in training]
    assert not leaked, f"held-out wordings in the training text: {leaked[:5]}"


def main():
    entries = load()
    if sys.argv[1:] == ["exam"]:
        items = exam_items(entries)
        EXAM.write_text(json.dumps(items, indent=1, ensure_ascii=False) + "\n", "utf-8")
        rest = [{"id": e.slug, "question": t, "facts": e.facts, "answer": e.answer}
                for e, t in development_set(entries, items)]
        (HERE / "work").mkdir(exist_ok=True)
        (HERE / "work" / "development.json").write_text(json.dumps(rest, indent=1), "utf-8")
        print(f"{EXAM.name}: {len(items)} questions, development: {len(rest)}")
        return
    found = problems(entries)
    print("\n".join(found))
    areas = Counter((e.file, e.slug.split(".")[0]) for e in entries)
    print(", ".join(f"{f}/{a} {n}" for (f, a), n in sorted(areas.items())))
    print(f"{len(entries)} entries, {sum(len(e.q) for e in entries)} Q, "
          f"{sum(len(e.t) for e in entries)} T, {len(found)} problems")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
