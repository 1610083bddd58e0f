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

from evidence import Evidence  # noqa: E402 (its folder is no package)

PAGES = {
    "results.md.j2": HERE / "README.md",
    "reproduction.md.j2": ROOT / "docs" / "reproduction.md",
}
RESULTS = HERE / "small" / "results.json"
SUMMARY, README = "summary.md.j2", ROOT / "README.md"
BEGIN, END = "<!-- results: filled by docs/results/pages.py -->\n", "<!-- end of results -->\n"


def filled(template: str, evidence: Evidence) -> str:
    """The text of a template with the numbers of a study."""
    loader = FileSystemLoader(HERE / "templates")
    environment = Environment(
        loader=loader,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(e=evidence)


def between_marks(text: str, part: str) -> str:
    """`text` with `part` between its marks. Raises ValueError where they are missing."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise ValueError(f"The marks {BEGIN.strip()} and {END.strip()} are not in this text.")
    return before + BEGIN + part + END + after


def pages(evidence: Evidence) -> dict[Path, str]:
    """Every page by its path, as it should be."""
    made = {path: filled(template, evidence) for template, path in PAGES.items()}
    made[README] = between_marks(README.read_text(encoding="utf-8"), filled(SUMMARY, evidence))
    return made


def main() -> None:
    for path, text in pages(Evidence.read(RESULTS)).items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
