"""Training: objectives, discriminators, image pools, the loop, checkpoints, validation."""

from bench.training.interruption import Interrupted
from bench.training.loop import Trained, train
from bench.training.weights import load_generators, save_generators

__all__ = ["Interrupted", "Trained", "load_generators", "save_generators", "train"]
