"""The results of studies: kept small, and filled into the pages of docs/.

    python docs/results/pages.py keep small --results report/results.json   # what the pages cite of a report
    python docs/results/pages.py pack --runs runs                           # the records of finished runs
    python docs/results/pages.py fill                                       # the pages themselves

`keep` takes what `bench compare --json` printed by --compared FILE too. `fill` writes docs/results/README.md,
docs/reproduction.md and, between two marks, parts of the README and of pages of docs/. A test fills them
again and fails where a page says anything else: no number of these pages is typed by hand.
"""

import argparse
import json
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

# Its folder is no package.
from evidence import Claims, Evidence, Facts, Kept, Losses, verdict_of_every  # noqa: E402

from bench.studies.grid import control_folders, expand, run_folders  # noqa: E402
from bench.studies.study import load_study  # noqa: E402
from reports.results import Results  # noqa: E402

STUDIES = ("small", "awake", "attention", "attention-claim", "attention-arms", "fast", "photographs")
"""Declared in NAME.toml, kept in NAME.json: all variants with three seeds; awake slots with five; slots that
attend, the same for longer and in other arms; trainings long enough to translate photographs, without slots
and with them."""
PAGES = {
    "results.md.j2": HERE / "README.md",
    "reproduction.md.j2": ROOT / "docs" / "reproduction.md",
}
PARTS = {
    "summary.md.j2": ("results", ROOT / "README.md"),
    "attention.md.j2": ("results", ROOT / "docs" / "attentive-slot5.md"),
    "claim.md.j2": ("claim", ROOT / "docs" / "attentive-slot5.md"),
    "arms.md.j2": ("arms", ROOT / "docs" / "attentive-slot5.md"),
    "photographs.md.j2": ("photographs", ROOT / "docs" / "attentive-slot5.md"),
    "fast.md.j2": ("results", ROOT / "docs" / "protocols.md"),
}
"""Template -> the name of two marks, and the page of which it fills what is between them."""
CITED_LOSSES = ("cycle_", "identity_")
CITED_METRICS = (
    *("kd(squeezenet)", "edge_correlation", "colourfulness", "noise", "grid_peak", "counterfactual_l1"),
    *("attention_effect", "noise_sensitivity", "foreground_iou", "mask_grid_peak", "mask_background"),
    *("mask_spatial_deviation", "best_mask_iou", "background_psnr"),
    *("kd_foreground(squeezenet)", "best_mask_ap"),
    *("kd(efficientnet-lite0)", "unchanged", "images_until_better"),
)
RECORDS, RECORDED = HERE / "records.tar.xz", ("run.json", "scores.json", "losses.csv", "validation.csv")


@dataclass(frozen=True)
class Reported:
    """What a template may ask of one study."""

    evidence: Evidence
    facts: Facts
    losses: Losses
    claims: Claims


def read(study: str) -> Kept:
    """What is kept of a study."""
    return Kept.model_validate_json((HERE / f"{study}.json").read_text(encoding="utf-8"))


def reported(study: str, kept: Kept) -> Reported:
    """A study, ready to be asked."""
    facts = Facts(kept.results, HERE / f"{study}.toml")
    return Reported(Evidence(kept.results), facts, Losses(kept.results), Claims(kept.differences()))


def filled(template: str, studies: Mapping[str, Reported]) -> str:
    """The text of a template with the numbers of the studies; `e`, `study`, `losses` are those of `small`."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    small = studies["small"]
    asked = {"e": small.evidence, "study": small.facts, "losses": small.losses}
    asked |= {name.replace("-", "_"): studies[name] for name in STUDIES[1:]}
    return environment.get_template(template).render(verdict_of_every=verdict_of_every, **asked)


def between_marks(text: str, part: str, name: str = "results") -> str:
    """`text` with `part` between the marks of that name. Raises ValueError where they are missing."""
    begin, end = f"<!-- {name}: filled by docs/results/pages.py -->\n", f"<!-- end of {name} -->\n"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    if not after:
        raise ValueError(f"The marks {begin.strip()} and {end.strip()} are not in this text.")
    return before + begin + part + end + after


def pages(kept: Mapping[str, Kept] | None = None) -> dict[Path, str]:
    """Every page by its path, as it should be; of what is kept, unless another is given."""
    studies = {study: reported(study, (kept or {}).get(study) or read(study)) for study in STUDIES}
    made = {path: filled(template, studies) for template, path in PAGES.items()}
    for template, (name, path) in PARTS.items():
        text = made.get(path) or path.read_text(encoding="utf-8")
        made[path] = between_marks(text, filled(template, studies), name)
    return made


def keep(study: str, whole: Kept) -> None:
    """Write what the pages cite of a study. Raises ValueError where they would say less than of the whole."""
    groups = [
        group.model_copy(
            update={
                "scores": [
                    score
                    for score in group.scores
                    if score.selection == "last" and score.metric in CITED_METRICS
                ],
                "losses": [each for each in group.losses if each.loss.startswith(CITED_LOSSES)],
                "summary": {},
            }
        )
        for group in whole.results.groups
    ]
    part = whole.model_copy(update={"results": whole.results.model_copy(update={"groups": groups})})
    if pages({study: part}) != pages({study: whole}):
        raise ValueError("The pages cite more than is kept: add it to CITED_METRICS or CITED_LOSSES.")
    (HERE / f"{study}.json").write_text(part.model_dump_json() + "\n", encoding="utf-8")


def pack(runs: Path) -> int:
    """Keep the records of the studies' finished runs, without images and weights; returns their number.

    Those of the A/A controls are among them, shared ones once. The same runs give the same bytes.
    """
    grids = [expand(load_study(str(HERE / f"{study}.toml"))) for study in STUDIES]
    folders = [each for grid in grids for each in (*run_folders(grid, runs), *control_folders(grid, runs))]
    done = {str(each.path): each for each in folders if each.read().status == "done"}
    with tarfile.open(RECORDS, "w:xz", preset=9) as archive:
        # All of one kind together: what is alike compresses best side by side.
        for path in (folder.path / name for name in RECORDED for _, folder in sorted(done.items())):
            if path.exists():  # what is not trained has no validation.csv
                archive.add(path, str(path.relative_to(runs)), filter=anonymous)
    return len(done)


def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without owner and date."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime, member.mode = 0, 0o644
    return member


def whole(results: Path, compared: Sequence[Path]) -> Kept:
    """A report's results.json and what comparisons printed, as one."""
    printed = [json.loads(path.read_text(encoding="utf-8"))["comparisons"] for path in compared]
    return Kept(
        results=Results.model_validate_json(results.read_text(encoding="utf-8")),
        compared=[{key: each[key] for key in Kept.COMPARED} for one in printed for each in one],
    )


def main() -> None:
    """Keep, pack or fill, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    keeping = commands.add_parser("keep", help="what the pages cite of a report")
    keeping.add_argument("study", choices=STUDIES)
    keeping.add_argument("--results", type=Path, required=True)
    keeping.add_argument("--compared", type=Path, action="append", default=[])
    packing = commands.add_parser("pack", help="the records of finished runs")
    packing.add_argument("--runs", type=Path, default=Path("runs"))
    commands.add_parser("fill", help="the pages")
    given = parser.parse_args()
    if given.command == "keep":
        keep(given.study, whole(given.results, given.compared))
    elif given.command == "pack":
        print(f"{pack(given.runs)} finished runs: {RECORDS.relative_to(ROOT)}")
    else:
        for path, text in pages().items():
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
