"""Fills the pages whose numbers come from a study: the templates beside this file, with its results.json.

    bench report docs/results/small.toml --pictures rendered --format md --out docs/results/small
    python docs/results/pages.py

Writes docs/results/README.md, docs/reproduction.md and the part of the README between its two marks. A test
fills them again and fails where a page says anything else: no number of these pages is typed by hand.
"""

import sys
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

# Their folder is no package.
from evidence import Evidence, verdict_of_every  # noqa: E402
from facts import Facts  # noqa: E402
from losses import Losses  # noqa: E402

from reports.results import Results  # noqa: E402

PAGES = {
    "results.md.j2": HERE / "README.md",
    "reproduction.md.j2": ROOT / "docs" / "reproduction.md",
}
RESULTS = HERE / "small" / "results.json"
SUMMARY, README = "summary.md.j2", ROOT / "README.md"
BEGIN, END = "<!-- results: filled by docs/results/pages.py -->\n", "<!-- end of results -->\n"


def read(path: Path) -> Results:
    """A results.json."""
    return Results.model_validate_json(path.read_text(encoding="utf-8"))


def filled(template: str, results: Results) -> str:
    """The text of a template with the numbers of a study."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    asked = {"e": Evidence(results), "study": Facts(results), "losses": Losses(results)}
    return environment.get_template(template).render(verdict_of_every=verdict_of_every, **asked)


def between_marks(text: str, part: str) -> str:
    """`text` with `part` between its marks. Raises ValueError where they are missing."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise ValueError(f"The marks {BEGIN.strip()} and {END.strip()} are not in this text.")
    return before + BEGIN + part + END + after


def pages(results: Results) -> dict[Path, str]:
    """Every page by its path, as it should be."""
    made = {path: filled(template, results) for template, path in PAGES.items()}
    made[README] = between_marks(README.read_text(encoding="utf-8"), filled(SUMMARY, results))
    return made


def main() -> None:
    for path, text in pages(read(RESULTS)).items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
