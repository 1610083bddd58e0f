"""Keeps what studies need to go on elsewhere: the records of their finished runs, without images and weights.

cd docs/results && python records.py small.toml awake.toml --runs ../../runs --out records.tar.xz
"""

import argparse
import tarfile
from collections.abc import Sequence
from pathlib import Path

from bench.runs.folder import RunFolder
from bench.studies.declaration import load_study
from bench.studies.grid import control_folders, expand, run_folders

KEPT = ("run.json", "scores.json", "losses.csv", "validation.csv")


def finished(studies: Sequence[str], runs: Path) -> list[RunFolder]:
    """The folders of the studies' finished runs, those of their A/A controls among them, shared ones once."""
    grids = [expand(load_study(study)) for study in studies]
    folders = [each for grid in grids for each in (*run_folders(grid, runs), *control_folders(grid, runs))]
    found = {str(each.path): each for each in folders if each.read().status == "done"}
    return [found[path] for path in sorted(found)]


def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The same runs give the same bytes, whoever packs them and when."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime, member.mode = 0, 0o644
    return member


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("studies", nargs="+")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    folders = finished(given.studies, given.runs)
    with tarfile.open(given.out, "w:xz", preset=9) as archive:
        for folder in folders:
            for path in (folder.path / name for name in KEPT):
                if path.exists():  # what is not trained has no validation.csv
                    archive.add(path, str(path.relative_to(given.runs)), filter=anonymous)
    print(f"{len(folders)} finished runs: {given.out}")


if __name__ == "__main__":
    main()
