"""Train the byte-level BPE tokenizer on the training text (never on T wordings).

    python train_tokenizer.py          writes work/tokenizer.json and work/tokens.json
    python train_tokenizer.py --keep   keeps the tokenizer, writes work/tokens.json for a changed handbook

The pre-tokenizer is GPT-2's regular expression, so that llama.cpp's tokenizer model `gpt2` with
pre-tokenizer `gpt-2` cuts every text into the same tokens. work/tokens.json holds the ids of every line of the handbook
and of some odd texts, for evaluate.mjs to compare.
"""
import json
import sys

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import augment
import handbook

VOCABULARY = 2048
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
FILE = handbook.HERE / "work" / "tokenizer.json"


def train(entries):
    texts = augment.SYSTEM + augment.PREFIXES + ["user", "assistant", "system", "tool"] * 20
    for e in entries:
        texts += [e.answer] * 3 + e.q + [q[0].lower() + q[1:] for q in e.q]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=SPECIAL, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    FILE.parent.mkdir(exist_ok=True)
    tokenizer.save(str(FILE))
    return tokenizer


def main():
    entries = handbook.load()
    handbook.assert_held_out(entries)
    tokenizer = Tokenizer.from_file(str(FILE)) if "--keep" in sys.argv else train(entries)
    odd = ["", " ", "  two  spaces ", "Tab\there\n\nnew  \n line", "caf\u00e9 \u0416 \u4f60\u597d \U0001f600",
           "it's we'll I'M 4664 10,000 3.14 96GiB a_b-c/d {\"k\": [1, 2]}", "<|im_start|>user\nhi<|im_end|>\n"]
    lines = [x for e in entries for x in [e.answer, *e.q, *e.t]] + augment.SYSTEM + odd
    FILE.with_name("tokens.json").write_text(json.dumps(
        [{"text": x, "ids": tokenizer.encode(x).ids} for x in lines]), "utf-8")
    print(f"{tokenizer.get_vocab_size()} tokens in the tokenizer, {len(lines)} texts to compare")


if __name__ == "__main__":
    sys.exit(main())
