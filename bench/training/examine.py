"""What happens now and then in a training: validation, the best weights kept, progress pictures."""

from bench.cell import Cell
from bench.data.dataset import Dataset
from bench.runs.folder import RunFolder
from bench.training.samples import sample_split, write_progress
from bench.training.session import Session, evaluating
from bench.training.validate import Distance, Features, Jackknife, Validator
from bench.training.weights import save_generators

BEST_WEIGHTS = "validation.safetensors"
"""In the folder `checkpoints`: both generators at the best validation step."""


class Examiner:
    """Looks at the generators of a session without changing them."""

    def __init__(
        self,
        cell: Cell,
        dataset: Dataset,
        folder: RunFolder,
        network: Features | None,
        distance: Distance | None,
        leave_one_out: Jackknife | None = None,
    ) -> None:
        samples = cell.protocol.score.samples
        self._cell = cell
        self._folder = folder
        self._validator = Validator(dataset, cell.streams(), network, distance, leave_one_out)
        self._samples = {
            "A": sample_split(dataset.A.test, samples),
            "B": sample_split(dataset.B.test, samples),
        }

    def examine(self, session: Session, images_seen: int) -> None:
        """Add a row to validation.csv, keep the generators if they are the best, make the pictures."""
        session.settle()
        with evaluating(session.kept):
            row = self._validator.validate(session.kept, session.step, images_seen)
            if session.validations.add(row):
                best = self._folder.checkpoints / BEST_WEIGHTS
                save_generators(best, session.kept, self._cell.variant, session.step)
            write_progress(self._folder, session.kept, self._samples, self._cell.streams(), session.step)
        session.clock.start()
