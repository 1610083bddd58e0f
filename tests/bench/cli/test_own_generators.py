"""Generators of one's own: what is wrong with them is said once, and what they are belongs to the record."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

Command = Callable[..., subprocess.CompletedProcess[str]]
SOUND = """
import torch
from dataclasses import dataclass
from typing import Annotated
from torch import nn
from variants import AtLeast, Generator, Translation, register


@dataclass(frozen=True)
class Parameters:
    ngf: Annotated[int, AtLeast(1)] = 4


@register("mine", summary="Two convolutions.")
class Mine(Generator):
    def __init__(self, parameters: Parameters) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, parameters.ngf, 3, padding=1)
        self.last = nn.Conv2d(parameters.ngf, 3, 3, padding=1)

    def forward(self, image, noise=None):
        y = torch.tanh(self.last(torch.relu(self.first(image))))
        return Translation(y, y.unsqueeze(1), None)
"""
EDITED = SOUND.replace("torch.tanh(", "-torch.tanh(")


def said(outcome: subprocess.CompletedProcess[str]) -> str:
    """What a command printed, in one line; a traceback is never printed."""
    assert "Traceback" not in outcome.stderr, outcome.stderr
    return " ".join((outcome.stdout + outcome.stderr).split())


class Place:
    """A folder with a plugin `mine.py` and runs of its own; commands are carried out in this process."""

    def __init__(self, folder: Path, call: Command) -> None:
        self.folder, self.bench, self.plugin = folder, call, folder / "mine.py"
        self.runs = folder / "runs"
        self.write(SOUND)

    def write(self, text: str, name: str = "mine.py") -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def run(self, *more: object, variant: str = "mine") -> subprocess.CompletedProcess[str]:
        words = ["run", "--variant", variant, "--plugin", self.plugin, "--protocol", "tiny.toml"]
        return self.bench(*words, "--threads", 1, "--runs", self.runs, *more)

    def generator(self) -> dict:
        """What a run would record of the generator now."""
        return json.loads(self.run("--dry-run", "--json").stdout)["generator"]

    @property
    def run_folder(self) -> Path:
        [found] = [path.parent for path in self.runs.rglob("run.json")]
        return found

    def record(self) -> dict:
        return json.loads((self.run_folder / "run.json").read_text())

    def unfinished(self, **changes: object) -> dict:
        """Make of the finished run one that was killed before it was scored; returns its record."""
        record = self.record() | {"status": "running", "finished": None} | changes
        (self.run_folder / "run.json").write_text(json.dumps(record))
        (self.run_folder / "generator.safetensors").unlink()
        return record


@pytest.fixture
def place(tmp_path: Path, call: Command) -> Place:
    return Place(tmp_path, call)


def test_the_record_holds_the_hash_of_a_plugin_and_of_what_it_imports_beside_it(place: Place) -> None:
    place.write("from inner.deep import CHANNELS\n", "helper.py")
    place.write("CHANNELS = 3\n", "inner/deep.py")
    place.write("import helper\nimport json\n" + SOUND)
    recorded = place.generator()
    assert (recorded["origin"], recorded["name"]) == ("plugin", "mine.py")
    assert set(recorded["files"]) == {"mine.py", "helper.py", "inner/deep.py"}
    place.write("CHANNELS = 3  # still\n", "inner/deep.py")
    again = place.generator()
    assert again["hash"] != recorded["hash"]
    assert [name for name in again["files"] if again["files"][name] != recorded["files"][name]] == [
        "inner/deep.py"
    ]


def test_line_ends_and_the_place_of_a_plugin_are_not_its_source(place: Place, tmp_path: Path) -> None:
    one = place.generator()
    place.plugin = tmp_path / "elsewhere" / "mine.py"
    place.plugin.parent.mkdir()
    place.plugin.write_bytes(SOUND.replace("\n", "\r\n").encode())
    assert place.generator() == one


def test_our_own_generators_are_known_by_the_commit(call: Command) -> None:
    words = ["run", "--variant", "spatial", "--protocol", "tiny.toml", "--dry-run", "--json"]
    record = json.loads(call(*words).stdout)
    assert record["generator"] is None
    assert set(record["environment"]) >= {"git_commit", "bench"}


def test_a_finished_run_says_when_it_was_finished_and_that_nothing_was_run(
    call: Command, finished_runs: Path
) -> None:
    path = finished_runs / "tiny/toy-stripes/spatial/seed0/run.json"
    before = path.read_text()
    record = json.loads(before)
    words = ("run", "--variant", "spatial", "--protocol", "tiny.toml", "--threads", "1")
    again = said(call(*words))
    assert f"finished on {record['finished']}: nothing was run" in again
    assert "another commit" not in again
    try:
        record["environment"] |= {"git_commit": "0" * 40, "bench": "0.0.1"}
        record["environment"]["versions"]["torch"] = "1.0"
        path.write_text(json.dumps(record))
        found = said(call(*words))
    finally:
        path.write_text(before)
    assert "version of torch (1.0, then" in found
    assert "version of bench (0.0.1, then" in found


def test_a_finished_run_of_an_edited_plugin_is_refused_with_both_hashes(place: Place) -> None:
    assert place.run().returncode == 0
    before = place.record()
    place.write(EDITED)
    outcome = place.run()
    found = said(outcome)
    assert outcome.returncode == 1
    assert before["generator"]["hash"] in found
    assert place.generator()["hash"] in found
    assert f"finished on {before['finished']}" in found
    assert outcome.stdout == ""
    assert place.record() == before

    removal = next(line for line in outcome.stderr.splitlines() if "rm -r" in line).partition(": rm ")[2]
    subprocess.run(f"rm {removal}", shell=True, check=True)
    assert place.run().returncode == 0
    assert place.record()["generator"]["hash"] != before["generator"]["hash"]


def test_the_other_folder_that_is_advised_keeps_the_finished_run(place: Place, tmp_path: Path) -> None:
    assert place.run().returncode == 0
    before = place.record()
    place.write(EDITED)
    assert "--runs DIR" in said(place.run())
    assert place.run("--runs", tmp_path / "others").returncode == 0
    assert place.record() == before


def test_what_is_made_of_a_run_of_an_edited_plugin_says_so(place: Place, tmp_path: Path) -> None:
    assert place.run().returncode == 0
    Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(tmp_path / "a.png")
    words = ["translate", "--run", place.run_folder, "--plugin", place.plugin, tmp_path / "a.png"]
    words += ["--out", tmp_path / "out"]
    assert "has changed" not in said(place.bench(*words))
    shutil.rmtree(tmp_path / "out")
    place.write(EDITED)
    outcome = place.bench(*words)
    assert outcome.returncode == 0
    assert "plugin mine.py has changed since" in said(outcome)
    outcome = place.bench("score", place.run_folder, "--plugin", place.plugin)
    assert outcome.returncode == 1
    assert "plugin mine.py has changed since" in said(outcome)
    words = [
        "export",
        place.run_folder,
        "--plugin",
        place.plugin,
        "--format",
        "hub",
        "--out",
        tmp_path / "hub",
    ]
    assert "plugin mine.py has changed since" in said(place.bench(*words))


def test_an_unfinished_run_is_not_continued_by_an_edited_plugin(place: Place) -> None:
    assert place.run().returncode == 0
    before = place.unfinished()
    place.write(EDITED)
    outcome = place.run()
    assert (outcome.returncode, before["generator"]["hash"] in said(outcome)) == (1, True)
    assert place.record() == before
    place.write(SOUND)
    assert place.run().returncode == 0
    assert place.record()["sessions"] == 2


def test_a_study_does_not_pass_over_the_finished_cell_of_an_edited_plugin(place: Place) -> None:
    words = ["study", "--variant", "mine", "--plugin", place.plugin, "--protocol", "tiny.toml"]
    words += ["--runs", place.runs, "--threads", 1]
    assert place.bench(*words).returncode == 0
    assert "1 done before" in said(place.bench(*words))
    place.write(EDITED)
    outcome = place.bench(*words)
    assert outcome.returncode == 1
    assert place.record()["generator"]["hash"] in said(outcome)


def test_a_record_that_tells_no_source_is_continued_and_read(place: Place) -> None:
    assert place.run().returncode == 0
    path = place.run_folder / "run.json"
    older = {
        key: value for key, value in place.record().items() if key not in {"generator", "feature_weights"}
    }
    older["costs"].pop("gflop_reason")
    path.write_text(json.dumps(older))
    place.write(EDITED)
    assert "nothing was run" in said(place.run())
    path.write_text(json.dumps(older | {"status": "running"}))
    assert place.run().returncode == 0
    assert place.record()["generator"]["name"] == "mine.py"


@pytest.fixture
def weights(tmp_path: Path) -> tuple[Path, Path]:
    """Two files of weights for squeezenet."""
    files = (tmp_path / "a.pth", tmp_path / "b.pth")
    for seed, file in enumerate(files):
        torch.manual_seed(seed)
        torch.save(torchvision.models.squeezenet1_1(weights=None).state_dict(), file)
    return files


def test_a_run_is_not_continued_with_other_feature_weights(place: Place, weights: tuple[Path, Path]) -> None:
    assert place.run("--features", "squeezenet", "--weights", weights[0]).returncode == 0
    outcome = place.run("--features", "squeezenet", "--weights", weights[1])
    assert outcome.returncode == 1
    assert f"bench score {shlex.quote(str(place.run_folder))} --weights FILE" in said(outcome)

    before = place.unfinished()
    rows = (place.run_folder / "validation.csv").read_text()
    outcome = place.run("--features", "squeezenet", "--weights", weights[1])
    assert outcome.returncode == 1
    assert "feature weights of squeezenet" in said(outcome)
    assert before["feature_weights"]["sha256"][:16] in said(outcome)
    assert (place.run_folder / "validation.csv").read_text() == rows

    moved = weights[0].rename(weights[0].with_name("moved.pth"))
    assert place.run("--features", "squeezenet", "--weights", moved).returncode == 0
    assert place.record()["sessions"] == 2


def test_a_change_of_versions_and_commit_is_recorded_as_one_of_threads_is(place: Place) -> None:
    assert place.run().returncode == 0
    environment = place.record()["environment"] | {"bench": "0.0.1", "git_commit": "0" * 40, "threads": 7}
    environment["versions"]["torch"] = "1.0"
    place.unfinished(environment=environment)
    assert place.run().returncode == 0
    warnings = "\n".join(place.record()["warnings"])
    for expected in ("another threads (7", "version of torch (1.0", "version of bench (0.0.1"):
        assert expected in warnings
    assert "another version of numpy" not in warnings


def test_an_edited_protocol_file_is_refused_with_what_changed_but_not_for_its_summary(
    place: Place, workplace: Path, tmp_path: Path
) -> None:
    rules = (workplace / "tiny.toml").read_text()
    protocol = tmp_path / "tiny.toml"
    protocol.write_text(rules)
    assert place.run("--protocol", protocol).returncode == 0
    protocol.write_text('summary = "For readers."\n' + rules)
    assert "nothing was run" in said(place.run("--protocol", protocol))
    protocol.write_text(rules.replace("pool = 3", "pool = 4"))
    outcome = place.run("--protocol", protocol)
    assert outcome.returncode == 1
    assert "protocol.train.pool: here 3, asked 4" in said(outcome)


BROKEN = {
    "a missing import": (
        "import nothing_of_the_kind\n" + SOUND,
        "No module named 'nothing_of_the_kind' (line 1). Install it",
    ),
    "a syntax error": (SOUND.replace("def forward(", "def forward(("), "SyntaxError"),
    "no Generator": (
        SOUND.replace("class Mine(Generator)", "class Mine(nn.Module)"),
        "Mine is no generator. Write: class Mine(Generator)",
    ),
    "an import forgotten": (
        SOUND.replace("AtLeast, Generator,", "AtLeast,"),
        "Write at its top: from variants import Generator",
    ),
    "no forward": (
        SOUND.replace("def forward", "def forwards"),
        "mine.Mine defines no forward. Write: def forward(self, image, noise=None) -> Translation",
    ),
    "a forward of other arguments": (
        SOUND.replace("(self, image, noise=None)", "(self, image)"),
        "mine.Mine.forward takes (self, image). Write: def forward(self, image, noise=None) -> Translation",
    ),
    "a forward that returns a tensor": (
        SOUND.replace("return Translation(y, y.unsqueeze(1), None)", "return y"),
        "Mine.forward returned a Tensor. Return Translation(image, contents, masks)",
    ),
    "a forward that returns nothing": (
        SOUND.replace("return Translation(y, y.unsqueeze(1), None)", ""),
        "Mine.forward returned None. Return Translation(image, contents, masks)",
    ),
    "a forward that raises": (
        SOUND.replace("y = torch", "image @ image[:, :1, :7]; y = torch"),
        "in forward)",
    ),
    "a constructor that raises": (
        SOUND.replace("super().__init__()", "super().__init__(); 1 / 0"),
        "ZeroDivisionError: division by zero (mine.py, line",
    ),
    "no super().__init__()": (
        SOUND.replace("super().__init__()", "pass"),
        "before Module.__init__() call (mine.py",
    ),
    "nothing registered": ("x = 1\n", "registers nothing. Put @register(...) before the class of a variant"),
    "parameters without annotation": (
        SOUND.replace("parameters: Parameters", "parameters"),
        "annotate parameters with the dataclass",
    ),
    "a program": ("raise SystemExit(3)\n" + SOUND, "if __name__ == '__main__':"),
}


@pytest.mark.parametrize(("text", "message"), BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_with_a_plugin_is_said_once_with_what_to_write(
    place: Place, text: str, message: str
) -> None:
    place.write(text)
    for words in (["run", "--variant", "mine", "--protocol", "tiny.toml"], ["check", "mine"]):
        where = ["--runs", place.runs] if words[0] == "run" else []
        outcome = place.bench(*words, "--plugin", place.plugin, *where)
        assert outcome.returncode in {1, 2}
        assert said(outcome).count(message) == 1, said(outcome)


def test_an_unknown_name_is_answered_with_plugin_too(call: Command) -> None:
    for words in (["run", "--variant", "mine"], ["check", "mine"], ["study", "--variant", "mine"]):
        outcome = call(*words)
        assert outcome.returncode == 2
        assert "--plugin FILE.py" in said(outcome)


def test_what_stands_beside_a_plugin_is_imported_and_hides_nothing(place: Place) -> None:
    place.write("WIDTH = 3\n", "beside.py")
    place.write("raise RuntimeError('this is not json')\n", "json.py")
    place.write(
        "import beside\nimport json\n" + SOUND.replace("ngf: Annotated[int, AtLeast(1)] = 4", "ngf: int = 4")
    )
    outcome = place.bench("check", "mine", "--plugin", place.plugin)
    assert outcome.returncode == 0, said(outcome)


DEAD_WEIGHT = SOUND.replace("self.last =", "self.unused = nn.Conv2d(3, 3, 1); self.last =")


def test_a_generator_that_fails_the_check_is_trained_only_unchecked_and_that_is_recorded(
    place: Place, tmp_path: Path
) -> None:
    place.write(DEAD_WEIGHT)
    outcome = place.run()
    assert outcome.returncode == 1
    found = said(outcome)
    assert "unused.weight gets no gradient" in found
    assert "--unchecked" in found
    assert place.record()["status"] == "failed"
    assert place.record()["images_seen"] == 0
    advised = next(line for line in outcome.stderr.splitlines() if "bench check" in line).partition(
        ": bench "
    )[2]
    assert place.bench(*shlex.split(advised)).returncode == 1

    outcome = place.run("--unchecked")
    assert outcome.returncode == 0
    assert "although it fails" in said(outcome)
    record = place.record()
    assert record["generator"]["checks"] == "unchecked"
    assert list(record["generator"]["failed_checks"]) == ["finite loss and gradients"]
    assert any("unused.weight" in warning for warning in record["warnings"])
    place.bench("report", place.runs, "--out", tmp_path / "report", "--format", "md")
    assert "Trained although bench check fails: mine" in (tmp_path / "report/report.md").read_text()


def test_one_source_is_checked_once_on_a_machine_and_an_edited_one_again(
    place: Place, tmp_path: Path
) -> None:
    counted = SOUND.replace(
        "super().__init__()", f"super().__init__(); open({str(tmp_path / 'built')!r}, 'a').write('x')"
    )

    def built() -> int:
        before = (tmp_path / "built").stat().st_size if (tmp_path / "built").exists() else 0
        assert place.run("--seed", built.seed).returncode == 0  # type: ignore[attr-defined]
        built.seed += 1  # type: ignore[attr-defined]
        return (tmp_path / "built").stat().st_size - before

    built.seed = 0  # type: ignore[attr-defined]
    place.write(counted)
    first, second = built(), built()
    assert second < first
    place.write(counted + "\n# edited\n")
    assert built() == first
    records = [json.loads(path.read_text()) for path in place.runs.rglob("run.json")]
    assert {record["generator"]["checks"] for record in records} == {"passed"}


def test_a_study_trains_a_failing_generator_only_unchecked(place: Place) -> None:
    place.write(DEAD_WEIGHT)
    words = ["study", "--variant", "mine", "--plugin", place.plugin, "--protocol", "tiny.toml"]
    words += ["--runs", place.runs, "--threads", 1]
    outcome = place.bench(*words)
    assert outcome.returncode == 1
    assert "unused.weight gets no gradient" in said(outcome)
    assert place.bench(*words, "--retry-failed", "--unchecked").returncode == 0
    assert place.record()["generator"]["checks"] == "unchecked"


def test_rules_of_model_that_a_generator_has_no_parameter_for_are_named_in_run_and_report(
    place: Place, tmp_path: Path
) -> None:
    outcome = place.run()
    assert "width=8, blocks=1, slot_size=8, encoder=4-4-4-8. Compare its parameters and GFLOP" in said(
        outcome
    )
    assert place.record()["generator"]["model_without_effect"] == ["width", "blocks", "slot_size", "encoder"]
    place.bench("report", place.runs, "--out", tmp_path / "report", "--format", "md")
    report = (tmp_path / "report/report.md").read_text()
    assert (
        "The protocol's [model] has no effect on width, blocks, slot_size, encoder of mine"
        in report.replace("\\", "")
    )
    place.write(SOUND.replace("ngf", "width"))
    assert place.generator()["model_without_effect"] == ["blocks", "slot_size", "encoder"]


FORWARD = "y = torch.tanh(self.last(torch.relu(self.first(image))))"
HARD_TO_COUNT = {
    "autocast on the device of the images": SOUND.replace(
        FORWARD, f"with torch.autocast(image.device.type, enabled=False):\n            {FORWARD}"
    ),
    "a parameter expanded in a part of its own": SOUND.replace(
        "@register",
        """class Shift(nn.Module):
    def __init__(self):
        super().__init__()
        self.value = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def draw_weights(self, draw):
        self.value.zero_()

    def forward(self, count):
        return self.value.expand(count, -1, -1, -1)


@register""",
    )
    .replace("self.first =", "self.shift = Shift(); self.first =")
    .replace("self.first(image)", "self.first(image + self.shift(len(image)))"),
    "a number read back": SOUND.replace(
        FORWARD, f"image = image + (image.mean().item() > 9)\n        {FORWARD}"
    ),
}


@pytest.mark.parametrize("text", HARD_TO_COUNT.values(), ids=HARD_TO_COUNT)
def test_operations_are_counted_where_that_is_hard(place: Place, text: str) -> None:
    place.write(text)
    assert place.run().returncode == 0
    multiplied = 2 * 32 * 32 * 9 * 3 * 4 * 2
    assert place.record()["costs"]["gflop"] == pytest.approx(multiplied / 1e9)


def test_operations_that_cannot_be_counted_fail_no_run_and_are_no_number(
    place: Place, tmp_path: Path
) -> None:
    place.write(SOUND.replace(FORWARD, f"assert image.std() > 0, 'flat'\n        {FORWARD}"))
    assert place.run().returncode == 0
    costs = place.record()["costs"]
    assert costs["gflop"] is None
    assert costs["gflop_reason"] == "AssertionError: flat"
    assert costs["parameters"] > 0
    assert place.bench("report", place.runs, "--out", tmp_path / "report").returncode == 0
