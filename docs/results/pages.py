"""Fills the pages whose numbers come from studies: the templates beside this file, with their results.json.

    bench report docs/results/small.toml --pictures rendered --format md --out docs/results/small
    bench report docs/results/awake.toml --pictures rendered --format md --out docs/results/awake
    python docs/results/pages.py

Writes docs/results/README.md, docs/reproduction.md and the part of the README between its two marks. A test
fills them again and fails where a page says anything else: no number of these pages is typed by hand.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

# Their folder is no package.
from claims import Claims, of_comparison, of_report  # noqa: E402
from evidence import Evidence, verdict_of_every  # noqa: E402
from facts import Facts  # noqa: E402
from losses import Losses  # noqa: E402

from reports.results import Results  # noqa: E402

PAGES = {
    "results.md.j2": HERE / "README.md",
    "reproduction.md.j2": ROOT / "docs" / "reproduction.md",
}
STUDIES = ("small", "awake")
"""Declared in NAME.toml, reported in NAME/: all variants with three seeds; awake slots with five."""
SUMMARY, README = "summary.md.j2", ROOT / "README.md"
BEGIN, END = "<!-- results: filled by docs/results/pages.py -->\n", "<!-- end of results -->\n"


@dataclass(frozen=True)
class Reported:
    """What a template may ask of one study."""

    evidence: Evidence
    facts: Facts
    losses: Losses
    claims: Claims


def read(study: str) -> Results:
    """The results.json of a study."""
    return Results.model_validate_json((HERE / study / "results.json").read_text(encoding="utf-8"))


def reported(study: str, results: Results) -> Reported:
    """Its results, ready to be asked."""
    facts = Facts(results, HERE / f"{study}.toml")
    compared = [
        each for path in sorted((HERE / study).glob("*-against-*.json")) for each in of_comparison(path)
    ]
    return Reported(Evidence(results), facts, Losses(results), Claims([*of_report(results), *compared]))


def filled(template: str, studies: dict[str, Reported]) -> str:
    """The text of a template with the numbers of the studies; `e`, `study`, `losses` are those of `small`."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    small = studies["small"]
    asked = {"e": small.evidence, "study": small.facts, "losses": small.losses, "awake": studies["awake"]}
    return environment.get_template(template).render(verdict_of_every=verdict_of_every, **asked)


def between_marks(text: str, part: str) -> str:
    """`text` with `part` between its marks. Raises ValueError where they are missing."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise ValueError(f"The marks {BEGIN.strip()} and {END.strip()} are not in this text.")
    return before + BEGIN + part + END + after


def pages() -> dict[Path, str]:
    """Every page by its path, as it should be."""
    studies = {study: reported(study, read(study)) for study in STUDIES}
    made = {path: filled(template, studies) for template, path in PAGES.items()}
    made[README] = between_marks(README.read_text(encoding="utf-8"), filled(SUMMARY, studies))
    return made


def main() -> None:
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
