"""Which files of a folder a protocol uses: validation held out, then the first ones by name."""

from dataclasses import dataclass

from bench.data.folders import ImageFile
from bench.errors import BenchError
from bench.protocol import ImageSettings


@dataclass(frozen=True)
class Selection:
    """The files of one domain that a run uses, each split in the order of names."""

    train: list[ImageFile]
    validation: list[ImageFile]
    test: list[ImageFile]
    copies_left_out: int
    """Training files left out because a validation image is byte-identical to them."""

    def all(self) -> list[ImageFile]:
        """Every file used, those of validation under the split of that name."""
        held_out = [
            ImageFile(file.split.replace("train", "validation"), file.path, file.sha256)
            for file in self.validation
        ]
        return [*self.train, *held_out, *self.test]


def select(train: list[ImageFile], test: list[ImageFile], images: ImageSettings) -> Selection:
    """Split the files of a domain as the protocol asks.

    Validation: the `validation` training images whose SHA-256 comes first, so that the choice depends on
    nothing but the images, spreads over the whole set and is the same for every seed. Byte-identical copies
    of a validation image leave training too. Of the rest the first `per_domain` by name are trained on;
    where that leaves fewer than `per_domain`, training has what is left. Raises BenchError when a split has
    fewer images than asked, or nothing would be left to train on.
    """
    _require(train, images.per_domain, "images.per_domain")
    _require(test, images.test, "images.test")
    if images.validation >= len(train):
        raise BenchError(
            f"{train[0].path.parent} holds {len(train)} images, of which images.validation = "
            f"{images.validation} are to be held out: none would be left to train on. Ask for fewer: "
            f"--set images.validation={len(train) // 5}"
        )
    held_out = sorted(train, key=lambda file: (file.sha256, file.name))[: images.validation]
    contents = {file.sha256 for file in held_out}
    left = [file for file in train if file.sha256 not in contents]
    if not left:
        raise BenchError(
            f"All images of {train[0].path.parent} are copies of the {len(held_out)} held out for validation."
        )
    return Selection(
        train=left[: images.per_domain],
        validation=sorted(held_out, key=lambda file: file.name),
        test=test[: images.test],
        copies_left_out=len(train) - len(left) - len(held_out),
    )


def _require(files: list[ImageFile], asked: int | None, rule: str) -> None:
    if asked is not None and len(files) < asked:
        raise BenchError(
            f"{files[0].path.parent} holds {len(files)} images, and {rule} = {asked} asks for more. "
            f"Ask for fewer (--set {rule}={len(files)}) or add images."
        )
