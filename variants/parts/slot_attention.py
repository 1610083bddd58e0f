"""Slot attention, usable by itself: many tokens in, a few slots that compete for them out.

Locatello et al. 2020, "Object-Centric Learning with Slot Attention" (arXiv 2006.15055), algorithm 1.
Departures of the published translation code, kept: `mu` and `log_sigma` are drawn once and never trained
unless `learned_init` is set; the MLP's hidden layer is 128 whatever the slot size.

As published all slots start from one mean and deviation, and what slot k attends to is chance. With
`own_starts` each has its own, and the same slot starts near the same place at every draw. Own means are drawn
from N(0, 1), the law of the noise itself; by Xavier's rule they would be a tenth of it, and no slot could be
told from another.

Keys and values are never made. Both are linear in the tokens, so W_k is applied to the few queries and W_v
to the few weighted means instead; the result is the same up to rounding, at 3.75 times the speed on CPU.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from variants.parts.layers import without_autocast

EPSILON = 1e-8


class SlotAttention(nn.Module):
    """Binds `noise.shape[1]` slots to tokens; `own_starts`, where it is given, is their number.

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
    ) -> None:
        super().__init__()
        self.iterations = iterations
        self.scale = features**-0.5
        self.own_starts = own_starts is not None
        for name in ("mu", "log_sigma"):
            start = nn.init.xavier_uniform_(torch.empty(1, own_starts or 1, features))
            if learned_init:
                self.register_parameter(name, nn.Parameter(start))
            else:
                self.register_buffer(name, start)
        self.norm_tokens = nn.LayerNorm(features)
        self.norm_slots = nn.LayerNorm(features)
        self.norm_mlp = nn.LayerNorm(features)
        self.query = nn.Linear(features, features, bias=False)
        self.key = nn.Linear(features, features, bias=False)
        self.value = nn.Linear(features, features, bias=False)
        self.gru = nn.GRUCell(features, features)
        self.hidden = nn.Linear(features, mlp_hidden)
        self.output = nn.Linear(mlp_hidden, features)

    def forward(self, tokens: Tensor, noise: Tensor) -> Tensor:
        """Slots [b, s, d] of tokens [b, n, d], started from standard normal noise [b, s, d]."""
        with without_autocast(tokens.device):
            return self.bind(tokens.to(self.mu.dtype), noise)

    def bind(self, tokens: Tensor, noise: Tensor) -> Tensor:
        """The algorithm, in the precision of the weights also where convolutions are in bf16."""
        tokens = self.norm_tokens(tokens)  # line 2
        slots = self.mu + self.log_sigma.exp() * noise  # line 1
        for _ in range(self.iterations):  # line 3
            weights = self.attend(tokens, self.norm_slots(slots))  # lines 4-6
            updates = self.value(weights @ tokens)  # line 7: the weighted mean of the values
            slots = self.update(slots, updates)  # lines 8-9
        return slots

    def attend(self, tokens: Tensor, slots: Tensor) -> Tensor:
        """Equations 1 and 2: weights [b, s, n] of the tokens in each slot, summing to 1 over the tokens.

        The softmax is over the slots: they compete for every token.
        """
        queries = self.query(slots) @ self.key.weight * self.scale
        attention = torch.softmax(queries @ tokens.transpose(1, 2), dim=1) + EPSILON
        return attention / attention.sum(dim=2, keepdim=True)

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
        nn.init.xavier_uniform_(self.log_sigma, generator=draw("log_sigma"))
