"""What the functions of `bench.api` give back: data that shows itself as a table in a notebook."""

import html
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.comparing.outcome import ComparedRuns
from bench.runs.metrics import is_distance
from bench.runs.records import RunRecord, Scores

if TYPE_CHECKING:
    import pandas as pd

COMPARED = ("metric", "direction", "dataset", "a", "b", "mean_a", "mean_b", "mean_difference", "low", "high")
LARGEST_SHOWN = 8 * 2**20
"""Bytes of a report's page that a notebook takes in; a larger one is a link."""


@dataclass(frozen=True)
class ScoreSheet:
    """The scores of a run, or of images of any origin, and where they lie."""

    folder: Path | None
    """None where nothing was asked to be kept."""
    scores: Scores | None
    """None of a run that was only planned."""
    record: RunRecord | None = None
    """None of images of another program."""

    def frame(self) -> "pd.DataFrame":
        """One row for each selection of weights, direction and metric; values are raw, NaN if undefined."""
        import pandas as pd

        rows = [
            {"selection": selection, "direction": direction, "metric": metric, **score.model_dump()}
            for selection, chosen in (self.scores.selections if self.scores else {}).items()
            for direction, found in chosen.directions.items()
            for metric, score in found.metrics.items()
        ]
        columns = ["selection", "direction", "metric", "value", "floor", "ceiling", "spread", "reason"]
        return pd.DataFrame(rows, columns=columns)

    def _repr_html_(self) -> str:
        title = str(self.folder or "scores") if self.record is None else cell_in_words(self.record)
        table = self.frame()
        shown = table[(table["selection"] == "last") & table["value"].notna()]
        shown = shown[["metric", "direction", "value", "floor", "ceiling", "spread"]]
        first = shown["metric"].map(is_distance).astype(bool)
        rest = f"<details><summary>All {len(shown)} scores</summary>{as_table(shown)}</details>"
        return as_html(title, shown[first]) + rest


@dataclass(frozen=True)
class Compared(ComparedRuns):
    """A comparison that shows itself in a notebook; each of `comparisons` has the `sentence` of its claim."""

    def frame(self) -> "pd.DataFrame":
        """One row a comparison; every number is raw. `low` and `high` bound the 95 % interval."""
        import pandas as pd

        rows = [
            {
                **{name: getattr(one, name) for name in (*COMPARED[:-2], "p_value", "p_adjusted", "images")},
                "low": one.interval[0] if one.interval else None,
                "high": one.interval[1] if one.interval else None,
                "seeds": len(one.seeds),
                "verdict": str(one.verdict),
            }
            for one in self.comparisons
        ]
        return pd.DataFrame(rows, columns=[*COMPARED, "p_value", "p_adjusted", "seeds", "images", "verdict"])

    def _repr_html_(self) -> str:
        said = [one.sentence for one in self.comparisons]
        said += [self.control.sentence] if self.control else []
        return as_html(f"{self.a} against {self.b}", self.frame(), [*said, *self.remarks])


@dataclass(frozen=True)
class ReportPage:
    """A report that was written; a notebook shows the page itself."""

    path: Path

    def _repr_html_(self) -> str:
        if self.path.suffix != ".html" or self.path.stat().st_size > LARGEST_SHOWN:
            address = html.escape(self.path.resolve().as_uri())
            return f'<a href="{address}">{html.escape(str(self.path))}</a>'
        page = html.escape(self.path.read_text(encoding="utf-8"))
        return f'<iframe srcdoc="{page}" style="width:100%;height:70vh;border:0"></iframe>'


def cell_in_words(record: RunRecord) -> str:
    """`slot9 on toy-stripes, protocol smoke, seed 0 (done)`."""
    cell = record.cell
    return f"{cell.variant} on {cell.dataset}, protocol {cell.protocol}, seed {cell.seed} ({record.status})"


def as_html(title: str, table: "pd.DataFrame", sentences: Iterable[str] = ()) -> str:
    """A titled table of a notebook, numbers with four significant digits, and sentences below it."""
    said = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences)
    return f"<p><b>{html.escape(title)}</b></p>{as_table(table)}" + (f"<ul>{said}</ul>" if said else "")


def as_table(table: "pd.DataFrame") -> str:
    """A table without its index; what is missing is a dash."""
    filled = table.astype(object).where(table.notna(), "-")
    return filled.to_html(index=False, border=0, float_format=lambda value: f"{value:.4g}")
