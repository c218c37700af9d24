"""A small llama-architecture model: RMSNorm, rotary positions, SwiGLU, tied embeddings.

The rotary embedding turns neighbouring pairs of a head (0,1), (2,3), ... as llama.cpp does for
this architecture, so the query and key weights need no permutation at export.
"""
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class Config:
    vocab: int = 2048
    width: int = 256
    layers: int = 4
    heads: int = 8
    hidden: int = 640
    context: int = 2048
    rope_base: float = 10000.0
    eps: float = 1e-5
    dropout: float = 0.1


class Drop(nn.Module):
    """Dropout with one mask for all positions of a sequence: as strong, and cheaper to draw."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        if not self.training or self.rate == 0:
            return x
        mask = torch.rand(x.shape[0], 1, x.shape[2]) >= self.rate
        return x * (mask / (1 - self.rate)).to(x.dtype)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c, self.head = c, c.width // c.heads
        self.attn_norm = nn.RMSNorm(c.width, eps=c.eps)
        self.qkv = nn.Linear(c.width, 3 * c.width, bias=False)
        self.o = nn.Linear(c.width, c.width, bias=False)
        self.ffn_norm = nn.RMSNorm(c.width, eps=c.eps)
        self.gate_up = nn.Linear(c.width, 2 * c.hidden, bias=False)
        self.down = nn.Linear(c.hidden, c.width, bias=False)
        self.drop = Drop(c.dropout)

    def forward(self, x, cos, sin, turn, mask):
        b, n, _ = x.shape
        qk, v = self.qkv(self.attn_norm(x)).split((2 * self.c.width, self.c.width), -1)
        qk = rotate(qk.reshape(b, n, 2 * self.c.heads, self.head), cos, sin, turn).transpose(1, 2)
        q, k = qk.split(self.c.heads, 1)
        v = v.view(b, n, self.c.heads, self.head).transpose(1, 2)
        # Written out: PyTorch's fused attention has a slow backward pass on the CPU.
        a = torch.softmax((q * self.head ** -0.5) @ k.transpose(2, 3) + mask.to(q.dtype), -1)
        x = x + self.drop(self.o((a.to(v.dtype) @ v).transpose(1, 2).reshape(b, n, -1)))
        gate, up = self.gate_up(self.ffn_norm(x)).split(self.c.hidden, -1)
        return x + self.drop(self.down(F.silu(gate) * up))


def rotate(x, cos, sin, turn):
    """Rotary positions: `turn` maps each pair (a, b) of a head to (-b, a); a matrix product is the
    quickest way to say so on the CPU."""
    return x * cos.to(x.dtype) + (x @ turn.to(x.dtype)) * sin.to(x.dtype)


class Model(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.embed = nn.Embedding(c.vocab, c.width)
        self.drop = Drop(c.dropout)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.layers))
        self.norm = nn.RMSNorm(c.width, eps=c.eps)
        head = c.width // c.heads
        rates = c.rope_base ** (-torch.arange(0, head, 2).float() / head).repeat_interleave(2)
        angles = torch.outer(torch.arange(c.context).float(), rates)
        self.register_buffer("cos", angles.cos()[:, None, :], persistent=False)
        self.register_buffer("sin", angles.sin()[:, None, :], persistent=False)
        turn = torch.zeros(head, head)
        for i in range(0, head, 2):
            turn[i + 1, i], turn[i, i + 1] = -1, 1
        self.register_buffer("turn", turn, persistent=False)
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.normal_(p, std=0.02)
        for block in self.blocks:
            for p in (block.o.weight, block.down.weight):
                nn.init.normal_(p, std=0.02 / (2 * c.layers) ** 0.5)

    def forward(self, ids):
        """ids [batch, n] -> final hidden states [batch, n, width]; see `logits`."""
        n = ids.shape[1]
        x = self.drop(self.embed(ids))
        mask = torch.full((n, n), float("-inf")).triu(1)
        for block in self.blocks:
            x = block(x, self.cos[:n], self.sin[:n], self.turn, mask)
        return self.norm(x)

    def logits(self, hidden):
        return F.linear(hidden, self.embed.weight)
