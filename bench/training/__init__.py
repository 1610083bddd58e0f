"""Training: objectives, discriminators, image pools, the loop, checkpoints, validation."""

from bench.training.loop import Trained, train
from bench.training.weights import load_generators, save_generators

__all__ = ["Trained", "load_generators", "save_generators", "train"]
