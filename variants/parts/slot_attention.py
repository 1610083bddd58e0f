"""Slot attention, usable by itself: many tokens in, a few slots that compete for them out.

Locatello et al. 2020, "Object-Centric Learning with Slot Attention" (arXiv 2006.15055), algorithm 1.
Departures of the published translation code, kept: `mu` and `log_sigma` are drawn once and never trained
unless `learned_init` is set; the MLP's hidden layer is 128 whatever the slot size.

As published all slots start from one mean and deviation, and what slot k attends to is chance. With
`own_starts` each has its own, and the same slot starts near the same place at every draw. Own means are drawn
from N(0, 1), the law of the noise itself; by Xavier's rule they would be a tenth of it, and no slot could be
told from another.

With `queries` there is no noise at all: every slot starts from a query of its own, which is trained, and such
slots are not exchangeable. With `straight` gradients of the last round alone reach the queries, straight
through what the rounds before it made of them (Jia et al. 2023, "Improving Object-centric Learning with Query
Optimization", BO-QSA, arXiv 2210.08990): query-initialised slot attention. Where the attention of the last
round is all that is used, GRU and MLP then learn nothing; otherwise gradients pass all rounds and reach them.

Keys and values are never made. Both are linear in the tokens, so W_k is applied to the few queries and W_v
to the few weighted means instead; the result is the same up to rounding, at 3.75 times the speed on CPU.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from variants.parts.layers import without_autocast

EPSILON = 1e-8


class Bound(NamedTuple):
    """Slots and what they were bound to in the last round."""

    slots: Tensor
    """[b, s, d]."""
    attention: Tensor
    """[b, s, n]: the share of every token that each slot has, summing to 1 over the slots (equation 1)."""


class SlotAttention(nn.Module):
    """Binds slots to tokens; `own_starts`, where it is given, is their number.

    >>> attention = SlotAttention(features=64)
    >>> attention(tokens=torch.randn(2, 200, 64), noise=torch.randn(2, 7, 64)).shape
    torch.Size([2, 7, 64])
    """

    mu: Tensor
    log_sigma: Tensor

    def __init__(
        self,
        features: int,
        iterations: int = 3,
        mlp_hidden: int = 128,
        learned_init: bool = False,
        own_starts: int | None = None,
        queries: bool = False,
        straight: bool = True,
        norm_eps: float = 1e-5,
    ) -> None:
        super().__init__()
        if queries and own_starts is None:
            raise ValueError("without noise slots of one start are all the same: give own_starts")
        self.iterations = iterations
        self.scale = features**-0.5
        self.own_starts = own_starts is not None
        self.queries = queries
        self.straight = queries and straight
        for name in ("mu",) if queries else ("mu", "log_sigma"):
            start = nn.init.xavier_uniform_(torch.empty(1, own_starts or 1, features))
            if learned_init or queries:
                self.register_parameter(name, nn.Parameter(start))
            else:
                self.register_buffer(name, start)
        self.norm_tokens = nn.LayerNorm(features, eps=norm_eps)
        self.norm_slots = nn.LayerNorm(features)
        self.norm_mlp = nn.LayerNorm(features)
        self.query = nn.Linear(features, features, bias=False)
        self.key = nn.Linear(features, features, bias=False)
        self.value = nn.Linear(features, features, bias=False)
        self.gru = nn.GRUCell(features, features)
        self.hidden = nn.Linear(features, mlp_hidden)
        self.output = nn.Linear(mlp_hidden, features)

    def forward(self, tokens: Tensor, noise: Tensor | None) -> Tensor:
        """Slots [b, s, d] of tokens [b, n, d], started from standard normal noise [b, s, d] or queries."""
        return self.bind(tokens, noise).slots

    def bind(self, tokens: Tensor, noise: Tensor | None) -> Bound:
        """The same with the attention of the last round, in the precision of the weights under bf16 too."""
        with without_autocast(tokens.device):
            return self._bind(tokens.to(self.mu.dtype), noise)

    def _bind(self, tokens: Tensor, noise: Tensor | None) -> Bound:
        tokens = self.norm_tokens(tokens)  # line 2
        start = slots = self.start(tokens.shape[0], noise)  # line 1
        for left in reversed(range(self.iterations)):  # line 3
            if self.straight and left == 0:
                slots = slots.detach() + start - start.detach()
            attention = self.attend(tokens, self.norm_slots(slots))  # lines 4-5
            updates = self.value(averaging(attention) @ tokens)  # lines 6-7: the weighted mean of the values
            slots = self.update(slots, updates)  # lines 8-9
        return Bound(slots, attention)

    def start(self, batch: int, noise: Tensor | None) -> Tensor:
        """Where the slots start, [b, s, d]."""
        if self.queries:
            return self.mu.expand(batch, -1, -1)
        assert noise is not None  # only queries do without
        return self.mu + self.log_sigma.exp() * noise

    def attend(self, tokens: Tensor, slots: Tensor) -> Tensor:
        """Equation 1: the share [b, s, n] of every token in each slot, a softmax over the slots.

        They compete for every token.
        """
        queries = self.query(slots) @ self.key.weight * self.scale
        return torch.softmax(queries @ tokens.transpose(1, 2), dim=1)

    def update(self, slots: Tensor, updates: Tensor) -> Tensor:
        """A GRU step from the earlier slots, then a residual MLP, each slot by itself."""
        slots = self.gru(updates.flatten(0, 1), slots.flatten(0, 1)).view_as(slots)
        return slots + self.output(torch.relu(self.hidden(self.norm_mlp(slots))))

    def draw_weights(self, draw: Callable[[str], torch.Generator]) -> None:
        """Draw the tensors that are this module's own: Xavier-uniform as published, own means N(0, 1)."""
        if self.own_starts:
            self.mu.normal_(generator=draw("mu"))
        else:
            nn.init.xavier_uniform_(self.mu, generator=draw("mu"))
        if not self.queries:
            nn.init.xavier_uniform_(self.log_sigma, generator=draw("log_sigma"))


class PointwiseAttention(nn.Module):
    """In place of slot attention: a 1x1 convolution of the normalised tokens, softmax over its channels.

    The control of what the rounds are worth: the first round of slot attention with trained queries is this,
    up to a bias. "Slots" are then the mean tokens of the channels.
    """

    def __init__(self, features: int, channels: int, norm_eps: float = 1e-5) -> None:
        super().__init__()
        self.norm_tokens = nn.LayerNorm(features, eps=norm_eps)
        self.logits = nn.Linear(features, channels)

    def bind(self, tokens: Tensor, noise: Tensor | None) -> Bound:
        """As `SlotAttention.bind`, in one round and without noise."""
        with without_autocast(tokens.device):
            tokens = self.norm_tokens(tokens.to(self.logits.weight.dtype))
            attention = torch.softmax(self.logits(tokens).transpose(1, 2), dim=1)
            return Bound(averaging(attention) @ tokens, attention)


def averaging(attention: Tensor) -> Tensor:
    """Equation 2: attention [b, s, n] as weights that sum to 1 over the tokens."""
    attention = attention + EPSILON
    return attention / attention.sum(dim=2, keepdim=True)
