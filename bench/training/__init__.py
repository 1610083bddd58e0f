"""Training: objectives, discriminators, image pools, the loop, checkpoints, validation."""

from bench.training.checkpoint import load_generators, save_generators
from bench.training.loop import Trained, train

__all__ = ["Trained", "load_generators", "save_generators", "train"]
