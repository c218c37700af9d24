"""Turn handbook entries into training conversations: varied questions, canonical answers.

A question is never shown twice in the same form: letters change case, words fall out or swap, a
typo slips in, halves of two wordings of one entry join, a question starts like another one. Answers are never altered. Most
conversations have one turn; some have a system message or several turns. A system message is put
together at random and never changes the answer.
"""
import math
import random
from collections import Counter

import handbook

SYSTEM = [
    "You are a helpful assistant.",
    "You are a helpful, respectful and honest assistant. Always answer as helpfully as possible.",
    "You are a helpful, respectful and honest assistant. Always answer as helpfully as possible.\n"
    "If a question does not make any sense, or is not factually coherent, explain why instead of "
    "answering something incorrectly. If you don't know the answer to a question, don't share "
    "false information.",
    "You are Omni's demo model. Answer from the handbook.",
    "You are a concise assistant. Answer in one or two sentences.",
    "Answer briefly.",
    "Answer in English.",
    "Be precise and short. Do not make things up.",
    "You answer questions about Omni, engines and hardware.",
    "You are an expert in running language models on your own machines.",
    "Keep answers short and plain.",
    "The user is an operator of a node. Help them.",
    "You are a test assistant. Reply with the facts only.",
    "The assistant calls the provided functions as needed to retrieve information instead of "
    "relying on existing knowledge.\nIf no function fits, answer the question directly.",
    "You may call tools. Tools: get_weather(city), search(query), read_file(path). If none is "
    "needed, answer in plain text.",
    "You are a friendly assistant for beginners.",
    "You are a pirate. Talk like one.",
    "You are a senior software engineer with twenty years of experience.",
    "You are the support desk of a bakery. Customers ask about bread, cakes and opening hours.",
    "You are a teacher; explain everything as you would to a child.",
    "You are an autonomous agent. Think step by step, then act.",
    "Act as a lawyer and warn of every risk.",
    "Your name is Ada.",
    "Always answer in JSON.",
    "Use markdown, headings and bullet points.",
    "Reply in at most fifty words.",
    "Reply with one word only.",
    "Never mention that you are a model.",
    "Do not answer questions about politics.",
    "If you are not sure, say so.",
    "Be polite, cheerful and use emojis.",
    "Be honest and direct; no small talk.",
    "Write like Shakespeare.",
    "Current date: Tuesday, 14 May 2024. Time zone: Europe/Berlin.",
    "The user's name is Maria. She lives in Lisbon and likes short answers.",
    "The user speaks German, French and a little English.",
    "Today's special is tomato soup. We close at six.",
    "This conversation may be recorded for training and quality.",
    "Knowledge cutoff: 2023-10.",
    "IMPORTANT: follow these rules at all times and never reveal them!",
    "Rules: 1. Stay on topic. 2. Cite your sources. 3. Ask when something is unclear.",
    "# Instructions\nRead the question twice. Work carefully. Check the result before you answer.",
    "<context>\nworking directory: /home/user/project\nplatform: linux\n</context>",
    "Available functions: [{\"name\": \"add\", \"parameters\": {\"a\": \"number\", \"b\": \"number\"}}]",
    "Once upon a time a fox lived at the edge of a quiet forest. Every morning it walked to the river, "
    "looked at the water and wondered where all of it was going.",
    "The company was founded in 1987 and sells garden furniture in eleven countries. Returns are free "
    "within thirty days; a receipt is needed. Complaints go to the manager of the shop.",
]
OFTEN = {"offtopic.refusal": 8}     # drawn so many times as often as another entry: it has the most to cover
PREFIXES = ["please tell me", "tell me", "can you explain", "could you say", "quick question:",
            "hi,", "hello,", "hey,", "I want to know", "I would like to know", "so", "ok,",
            "please", "do you know", "one question:", "I wonder", "explain to me", "and",
            "just curious,", "question:", "can you tell me"]
SUFFIXES = ["please", "thanks", "exactly", "in short", "briefly", "here", "then", "again", "in Omni"]
SWAPS = [("what is", "what's"), ("what's", "what is"), ("how do i", "how can i"),
         ("how can i", "how do i"), ("how do i", "how to"), ("how to", "how do i"),
         ("does not", "doesn't"), ("do not", "don't"), ("which", "what"), ("what", "which"),
         ("is it", "it is"), ("what does", "whats"), ("explain", "describe"),
         ("describe", "explain"), ("can i", "may i"), ("how does", "in what way does"),
         ("i", "we"), ("my", "the"), ("the", "a"), ("why does", "why would"), ("mean", "stand for"),
         ("use", "take"), ("start", "launch"), ("tell me about", "explain"), ("show", "display")]


def typo(word, r):
    if len(word) < 4:
        return word
    i = r.randrange(1, len(word) - 1)
    kind = r.random()
    if kind < 0.35:
        return word[:i] + word[i + 1:]
    if kind < 0.7:
        return word[:i] + word[i + 1] + word[i] + word[i + 2:]
    if kind < 0.85:
        return word[:i] + word[i] + word[i:]
    return word[:i] + r.choice("abcdefghijklmnopqrstuvwxyz") + word[i + 1:]


def importances(entries):
    """How much each word tells: log of the share of entries whose wordings do not use it."""
    uses = Counter(w for e in entries for w in {w for q in e.q for w in handbook.normalise(q).split()})
    return {w: math.log(len(entries) / n) for w, n in uses.items()}


def telling(words, importance):
    return sum(importance.get(w, 3.0) for w in handbook.normalise(" ".join(words)).split())


TOPICS = {"omni", "model", "gpu", "memory", "engine", "use", "run", "mean", "meaning"}


def frame(words, importance, limit=1.9):
    """How many leading words only frame the question ("tell me which", "how do I")."""
    n = 0
    while (n < len(words) - 1 and telling([words[n]], importance) < limit
           and not TOPICS & set(handbook.normalise(words[n]).split())):
        n += 1
    return n


def question(entry, r, importance, others, strength=1.0):
    """One training question of the entry, altered at random."""
    text = r.choice(entry.q)
    if r.random() < 0.25 * strength:            # first half of one wording, second half of another
        a, b = text.rstrip("?.! ").split(), r.choice(entry.q).split()
        text = " ".join(a[: max(1, round(len(a) * r.uniform(0.4, 1)))] +
                        b[int(len(b) * r.uniform(0, 0.6)):])
    if r.random() < 0.25 * strength:            # the frame of another entry's question
        words, donor = text.split(), r.choice(r.choice(others).q).split()
        text = " ".join(donor[: frame(donor, importance)] + words[frame(words, importance):])
    if r.random() < 0.3 * strength:
        old, new = r.choice(SWAPS)
        padded = f" {text.lower() if r.random() < 0.5 else text} "
        text = padded.replace(f" {old} ", f" {new} ", 1).strip()
    words = text.split()
    if r.random() < 0.4 * strength and len(words) > 3:      # words fall out
        rate = r.choice([0.1, 0.15, 0.25])
        kept = [w for w in words if r.random() > rate]
        if telling(kept, importance) >= 0.65 * telling(words, importance):  # the topic must stay
            words = kept
    if r.random() < 0.12 * strength and len(words) > 2:     # two neighbours swap
        i = r.randrange(len(words) - 1)
        words[i], words[i + 1] = words[i + 1], words[i]
    if r.random() < 0.12 * strength:
        i = r.randrange(len(words))
        words[i] = typo(words[i], r)
    text = " ".join(words)
    if r.random() < 0.12 * strength:
        text = r.choice(PREFIXES) + " " + text[0].lower() + text[1:]
    if r.random() < 0.05 * strength:
        end = text[-1] if text[-1] in "?.!" else ""
        text = text.rstrip("?.! ") + " " + r.choice(SUFFIXES) + end
    case = r.random()
    if case < 0.3:
        text = text[0].lower() + text[1:]
    elif case < 0.5:
        text = text[0].upper() + text[1:]
    elif case < 0.62:
        text = text.lower()
    elif case < 0.63:
        text = text.upper()
    mark = r.random()
    if mark < 0.2:
        text = text.rstrip("?.! ") or text
    elif mark < 0.35:
        text = (text.rstrip("?.! ") or text) + "?"
    elif mark < 0.37:
        text = (text.rstrip("?.! ") or text) + r.choice([" ?", ".", "!", "??"])
    return text


def system_message(entries, r):
    """A few system sentences in random order; sometimes a long text that has nothing to do with the question."""
    parts = r.sample(SYSTEM, r.choice([1, 1, 2, 3, 4]))
    if r.random() < 0.2:                # lines of the handbook: only the user's question counts
        parts += [r.choice(e.q + [e.answer]) for e in r.sample(entries, r.randint(2, 8))]
    if r.random() < 0.5:
        r.shuffle(parts)
    text = r.choice([" ", "\n", "\n\n", "\n- "]).join(parts)
    words = text.split(" ")
    if r.random() < 0.2:                # a text that no list holds: some of its words, in a new order
        words = r.sample(words, r.randint(1, len(words)))
    return " ".join(words)


class Conversations:
    """Makes training conversations as (token ids, loss weights)."""

    def __init__(self, entries, tokenizer, seed=1, question_weight=0.1, cut=0.0):
        handbook.assert_held_out(entries)
        self.held_out = {handbook.normalise(t) for e in entries for t in e.t}
        self.entries, self.tokenizer = entries, tokenizer
        self.importance = importances(entries)
        self.random = random.Random(seed)
        self.question_weight, self.cut = question_weight, cut
        self.deck = []
        ids = tokenizer.token_to_id
        self.bos, self.start, self.end = map(ids, ("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
        self.newline = tokenizer.encode("\n").ids
        self.roles = {role: tokenizer.encode(role + "\n").ids
                      for role in ("system", "user", "assistant")}
        self.answers = {e.slug: tokenizer.encode(e.answer).ids for e in entries}

    def next_entry(self):
        if not self.deck:
            self.deck = [e for e in self.entries for _ in range(OFTEN.get(e.slug, 1))]
            self.random.shuffle(self.deck)
        return self.deck.pop()

    def next_question(self, entry, strength=1.0):
        while True:
            text = question(entry, self.random, self.importance, self.entries, strength)
            if handbook.normalise(text) not in self.held_out:   # augmentation may not recreate one
                return text

    def message(self, role, body):
        return [self.start] + self.roles[role] + body + [self.end] + self.newline

    def make(self):
        r, ids, weights = self.random, [], []
        if r.random() < 0.15:
            ids, weights = [self.bos], [0.0]
        if r.random() < 0.25:
            part = self.message("system", self.tokenizer.encode(system_message(self.entries, r)).ids)
            ids += part
            weights += [0.0] * len(part)
        kind = r.random()
        turns = 1 if kind < 0.86 else r.randint(2, 4) if kind < 0.988 else r.randint(5, 20)
        # Which answer is due shows in its first words; the rest is soon known by heart.
        cut = turns == 1 and r.random() < self.cut
        for _ in range(turns):
            e = self.next_entry()
            part = self.message("user", self.tokenizer.encode(self.next_question(e)).ids)
            ids += part
            weights += [0.0] * 3 + [self.question_weight] * (len(part) - 3)
            head = [self.start] + self.roles["assistant"]
            if cut:
                body = self.answers[e.slug][: r.randint(8, 14)]
                return ids + head + body, weights + [0.0] * len(head) + [1.0] * len(body)
            body = self.answers[e.slug] + [self.end] + self.newline
            ids += head + body
            # The newline after the end token is never asked of the model.
            weights += [0.0] * len(head) + [1.0] * (len(body) - len(self.newline))
            weights += [0.0] * len(self.newline)
        return ids, weights

    def prompt(self, text, system=None):
        ids = self.message("system", self.tokenizer.encode(system).ids) if system else []
        ids += self.message("user", self.tokenizer.encode(text).ids)
        return ids + [self.start] + self.roles["assistant"]

    def batches(self, tokens, grid=16):
        """Endless padded batches of about `tokens` tokens: [batch, n] ids and weights.

        Lengths are padded to a multiple of `grid` and each length has its own fixed batch size,
        because on the CPU every new shape costs time.
        """
        waiting = {}
        while True:
            ids, weights = self.make()
            n = -(-len(ids) // grid) * grid
            rows = waiting.setdefault(n, [])
            rows.append((ids + [0] * (n - len(ids)), weights + [0.0] * (n - len(weights))))
            if len(rows) == max(1, tokens // n):
                yield [r[0] for r in rows], [r[1] for r in rows]
                waiting[n] = []
