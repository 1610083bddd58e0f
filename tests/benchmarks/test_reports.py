"""How long reports take and how much memory: 200 cells of 5 seeds in the frame; a whole study as a page."""

import resource
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from reports.frame import StudyFrames, read_study, run_folders
from reports.write import Request, write_report

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "reports"))
import miniature  # noqa: E402

pytestmark = pytest.mark.benchmark_only


@pytest.fixture(scope="module")
def mini() -> ModuleType:
    return miniature


def test_a_thousand_runs_in_the_frame(benchmark: Any, tmp_path: Path, mini: ModuleType) -> None:
    """To reach: under 20 s and 1 GiB on two cores."""
    variants = [f"slot9[iterations={count}]" for count in range(1, 51)]
    datasets = ("toy-stripes", "toy-season", "toy-shape", "horse2zebra")
    mini.write_study(tmp_path, variants, datasets, range(5), pictures=False)

    def read() -> StudyFrames:
        return read_study(run_folders([tmp_path]))

    study = benchmark.pedantic(read, rounds=3)
    assert len(study.runs) == 1000
    benchmark.extra_info["peak_memory_MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_the_page_of_a_thousand_runs(benchmark: Any, tmp_path: Path, mini: ModuleType) -> None:
    """To reach: under 20 s and 1 GiB on two cores."""
    variants = [f"slot9[iterations={count}]" for count in range(1, 51)]
    datasets = ("toy-stripes", "toy-season", "toy-shape", "horse2zebra")
    mini.write_study(tmp_path / "runs", variants, datasets, range(5), pictures=False)
    request = Request((tmp_path / "runs",), tmp_path / "out", ("html",))
    page = benchmark.pedantic(write_report, args=(request,), rounds=1)
    benchmark.extra_info["page_MB"] = page.stat().st_size / 1e6
    benchmark.extra_info["peak_memory_MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_the_page_of_a_whole_study(benchmark: Any, tmp_path: Path, mini: ModuleType) -> None:
    """To reach: under 8 MB for 6 variants, 3 data sets, 5 seeds; pictures here are noise of 256 px."""
    variants = ("spatial", "slot5", "slot9", "slot9[iterations=5]", "uniform", "copy")
    mini.write_study(tmp_path / "runs", variants, ("toy-stripes", "toy-season", "toy-shape"), range(5))
    mini.enlarge_pictures(tmp_path / "runs", 256)
    request = Request((tmp_path / "runs",), tmp_path / "out")
    page = benchmark.pedantic(write_report, args=(request,), rounds=1)
    size = page.stat().st_size / 1e6
    benchmark.extra_info["page_MB"] = size
    assert size < 8
