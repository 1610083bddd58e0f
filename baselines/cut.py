"""`cut`: contrastive unpaired translation, each direction by itself (Park et al. 2020, arXiv 2007.15651).

The generator is CycleGAN's; what makes it CUT is the objective that it brings (`bench.training.contrast`).
The authors' generator blurs before it halves and doubles; this one does not, so that the trunk is
everybody's.
"""

from itertools import islice

from torch import Tensor

from baselines.cyclegan import CycleGan

HALVED, HALVED_AGAIN, FIRST_BLOCK, FIFTH_BLOCK = 0, 1, 3, 7
"""Places of the compared layers among the stages of the trunk."""


class Cut(CycleGan):
    """The generator of `cyclegan`, which can also show what its layers see."""

    published = None  # the authors' generator has other layers

    def patch_features(self, image: Tensor) -> tuple[Tensor, ...]:
        """Pixels, both halving convolutions, first and fifth block: [b, c, h, w] each, at most h, least h/4.

        With fewer than five blocks the last takes the place of the fifth; with one there are four layers, and
        without any the normalised second convolution takes the blocks' place.
        """
        stages = list(islice(self.trunk.encode_stages(image), FIFTH_BLOCK + 1))
        last = len(stages) - 1
        wanted = (HALVED, HALVED_AGAIN, min(FIRST_BLOCK, last), min(FIFTH_BLOCK, last))
        return (image, *(stages[place] for place in dict.fromkeys(wanted)))
