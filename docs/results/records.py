"""Keeps what a study needs to go on elsewhere: the records of its finished runs, without images and weights.

python docs/results/records.py docs/results/small.toml --runs runs docs/results/small/records.tar.xz
"""

import argparse
import tarfile
from pathlib import Path

from bench.runs.folder import RunFolder
from bench.studies.declaration import load_study
from bench.studies.grid import control_folders, expand, run_folders

KEPT = ("run.json", "scores.json", "losses.csv", "validation.csv")


def finished(study: str, runs: Path) -> list[RunFolder]:
    """The folders of the study's finished runs, those of its A/A control among them."""
    grid = expand(load_study(study))
    folders = [*run_folders(grid, runs), *control_folders(grid, runs)]
    return sorted((each for each in folders if each.read().status == "done"), key=lambda each: str(each.path))


def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The same runs give the same bytes, whoever packs them and when."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime, member.mode = 0, 0o644
    return member


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("study")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("archive", type=Path)
    given = parser.parse_args()
    folders = finished(given.study, given.runs)
    with tarfile.open(given.archive, "w:xz", preset=9) as archive:
        for folder in folders:
            for path in (folder.path / name for name in KEPT):
                if path.exists():  # what is not trained has no validation.csv
                    archive.add(path, str(path.relative_to(given.runs)), filter=anonymous)
    print(f"{len(folders)} finished runs: {given.archive}")


if __name__ == "__main__":
    main()
