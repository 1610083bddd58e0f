"""Which slots are foreground: the "another small model" of the paper's section 7.

The paper leaves open what the model is. Here it is the smallest that can tell: one hidden layer and a sigmoid
on every final slot by itself, trained with everything else by the losses of translation.
"""

import torch
from torch import Tensor, nn

HIDDEN = 64
"""Features of the hidden layer; no parameter, since no source names a value to depart from."""


class ForegroundHead(nn.Module):
    """How far each slot is foreground, [b, s] in (0, 1), of slots [b, s, d]."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(features, HIDDEN)
        self.output = nn.Linear(HIDDEN, 1)

    def forward(self, slots: Tensor) -> Tensor:
        return torch.sigmoid(self.output(torch.relu(self.hidden(slots)))).squeeze(2)
