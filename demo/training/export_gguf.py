"""Write a checkpoint as one GGUF file that llama.cpp serves.

    python export_gguf.py [work/best.pt] [--type Q8_0|F16] [--out ../omni-demo.gguf]

The file carries the tokenizer, the chat template and the end-of-turn token, so nothing else is
needed to chat with it.
"""
import argparse
import json

import gguf
import torch
from gguf import GGMLQuantizationType as Type

import handbook
import model as llama
import train_tokenizer

# ChatML. Content may be text, a list of parts, or absent (a message that only calls tools);
# `tools` is accepted and left out of the prompt: this model cannot call any.
TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message['role'] + '\\n' -}}"
    "{%- if message['content'] is string -%}"
    "{{- message['content'] | trim -}}"
    "{%- elif message['content'] -%}"
    "{%- for part in message['content'] -%}"
    "{%- if part['type'] == 'text' -%}{{- part['text'] -}}{%- endif -%}"
    "{%- endfor -%}"
    "{%- endif -%}"
    "{{- '<|im_end|>\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
DESCRIPTION = ("A tiny llama-architecture model trained from scratch on the Omni handbook only. It "
               "proves that the path from file to answer works; it has no general intelligence.")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("checkpoint", nargs="?", default=str(handbook.HERE / "work" / "best.pt"))
    p.add_argument("--type", default="Q8_0", choices=["Q8_0", "F16"])
    p.add_argument("--out", default=str(handbook.HERE.parent / "omni-demo.gguf"))
    a = p.parse_args()
    state = torch.load(a.checkpoint, weights_only=True)
    c, weights = llama.Config(**state["config"]), state["model"]
    tokenizer = json.loads(train_tokenizer.FILE.read_text("utf-8"))
    vocabulary = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].get)
    special = {t["content"]: t["id"] for t in tokenizer["added_tokens"]}
    assert len(vocabulary) == c.vocab

    w = gguf.GGUFWriter(a.out, "llama")
    w.add_type(gguf.GGUFType.MODEL)
    w.add_name("Omni demo")
    w.add_description(DESCRIPTION)
    w.add_license("MIT")
    w.add_languages(["en"])
    w.add_size_label(f"{sum(t.numel() for t in weights.values()) / 1e6:.1f}M")
    w.add_file_type(gguf.LlamaFileType.MOSTLY_F16 if a.type == "F16" else gguf.LlamaFileType.MOSTLY_Q8_0)
    w.add_quantization_version(gguf.GGML_QUANT_VERSION)
    w.add_vocab_size(c.vocab)
    w.add_context_length(c.context)
    w.add_embedding_length(c.width)
    w.add_block_count(c.layers)
    w.add_feed_forward_length(c.hidden)
    w.add_head_count(c.heads)
    w.add_head_count_kv(c.heads)
    w.add_layer_norm_rms_eps(c.eps)
    w.add_rope_freq_base(c.rope_base)
    w.add_rope_dimension_count(c.width // c.heads)

    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("gpt-2")
    w.add_token_list([t.encode("utf-8") for t in vocabulary])
    w.add_token_types([gguf.TokenType.CONTROL if t in special else gguf.TokenType.NORMAL
                       for t in vocabulary])
    merges = tokenizer["model"]["merges"]
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    w.add_bos_token_id(special["<|endoftext|>"])
    w.add_eos_token_id(special["<|im_end|>"])
    w.add_eot_token_id(special["<|im_end|>"])
    w.add_pad_token_id(special["<|endoftext|>"])
    w.add_add_bos_token(False)
    w.add_add_eos_token(False)
    w.add_chat_template(TEMPLATE)

    tensors = {"token_embd": weights.pop("embed.weight"), "output_norm": weights.pop("norm.weight")}
    for i in range(c.layers):
        part = {name: weights.pop(f"blocks.{i}.{name}.weight")
                for name in ("attn_norm", "qkv", "o", "ffn_norm", "gate_up", "down")}
        q, k, v = part["qkv"].split(c.width)
        gate, up = part["gate_up"].split(c.hidden)
        for name, data in {"attn_norm": part["attn_norm"], "attn_q": q, "attn_k": k, "attn_v": v,
                           "attn_output": part["o"], "ffn_norm": part["ffn_norm"], "ffn_gate": gate,
                           "ffn_up": up, "ffn_down": part["down"]}.items():
            tensors[f"blk.{i}.{name}"] = data
    assert not weights, list(weights)
    for name, data in tensors.items():
        kind = Type.F32 if data.dim() == 1 else Type[a.type]
        w.add_tensor(name + ".weight", gguf.quants.quantize(data.float().contiguous().numpy(), kind),
                     raw_dtype=kind)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    print(f"{a.out}: step {state['step']}, {a.type}")


if __name__ == "__main__":
    main()
