"""A variant whose constructor raises: the run is failed, with the reason, and tried again only when asked."""

from pathlib import Path
from typing import Any

PLUGIN = """
from torch import Tensor
from variants import Generator, Translation, register


@register("hasty", summary="Cannot be built while `broken` stands beside it.")
class Hasty(Generator):
    def __init__(self) -> None:
        super().__init__()
        if BROKEN:
            raise ArithmeticError("no layer has seven sides")

    def forward(self, image: Tensor, noise: object = None) -> Translation:
        return Translation(image, image[:, None], None)
"""
REASON = "ArithmeticError: no layer has seven sides"


def write_plugin(path: Path, broken: bool) -> Path:
    path.write_text(f"BROKEN = {broken}\n{PLUGIN}", encoding="utf-8")
    return path


def test_a_variant_that_cannot_be_built_is_failed_and_tried_again_only_when_asked(
    workplace: Any, tmp_path: Path
) -> None:
    runs, plugin = tmp_path / "runs", write_plugin(tmp_path / "hasty.py", broken=True)
    first = workplace.outcome(runs, ("hasty", "copy"), plugin=plugin, workers=2)
    assert first["counts"] == {"failed": 1, "done": 1}
    record = workplace.folder(runs, "hasty").read()
    assert (record.status, record.images_to_see) == ("failed", None)
    assert record.reason is not None
    assert record.reason.startswith(REASON)
    assert "hasty.py, line " in record.reason

    write_plugin(plugin, broken=False)
    left_alone = workplace.outcome(runs, ("hasty", "copy"), plugin=plugin)
    assert left_alone["counts"] == {"failed": 1, "skipped": 1}
    assert left_alone["cells"]["hasty"]["reason"] == record.reason
    assert workplace.folder(runs, "hasty").read().sessions == 1

    retried = workplace.outcome(runs, ("hasty", "copy"), plugin=plugin, retry_failed=True)
    assert retried["counts"] == {"done": 1, "skipped": 1}
    record = workplace.folder(runs, "hasty").read()
    assert (record.status, record.reason, record.images_to_see) == ("done", None, 0)


def test_bench_run_and_list_name_the_error_of_the_constructor(workplace: Any, tmp_path: Path) -> None:
    runs, plugin = tmp_path / "runs", write_plugin(tmp_path / "hasty.py", broken=True)
    words = (
        "run",
        "--variant",
        "hasty",
        "--protocol",
        workplace.protocol,
        "--plugin",
        plugin,
        "--runs",
        runs,
    )
    finished = workplace.bench(*words)
    assert finished.returncode == 1
    assert REASON in finished.stderr
    assert "Traceback" not in finished.stderr
    listed = workplace.bench("list", "runs", "--runs", runs)
    assert REASON in " ".join(listed.stdout.split()), listed.stdout
