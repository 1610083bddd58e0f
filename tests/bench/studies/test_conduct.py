"""Which cell begins when: failures, retries, budgets and held folders, on an engine without processes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.runs.folder import RunFolder
from bench.runs.records import CellRecord, RunRecord
from bench.setup import describe_environment
from bench.studies import conduct as module
from bench.studies.conduct import Budget, CellResult, Conducted, RunOptions, conduct, make_orders
from bench.studies.engines.interface import Event
from bench.studies.grid import expand
from bench.studies.plan import Facts, Planned, make_plan
from bench.studies.process import Order, Outcome, Progress
from bench.studies.study import parse_study
from bench.studies.summary import plan_remarks

NO_LIMIT = Budget()
Ending = Callable[[Order], Outcome]


def done(order: Order) -> Outcome:
    return Outcome(outcome="done")


def fails(order: Order) -> Outcome:
    return Outcome(outcome="failed", reason="no")


class InstantEngine:
    """Ends every cell at once, as `ending` says."""

    def __init__(self, ending: Ending) -> None:
        self._ending = ending
        self._ended: list[Event] = []
        self.began: list[str] = []

    def capacity(self) -> int:
        return 2

    def begin(self, number: int, order: Order) -> None:
        self.began.append(f"{order.variant} {order.seed}")
        self._ended.append((number, self._ending(order)))

    def events(self, seconds: float) -> list[Event]:
        ended, self._ended = self._ended, []
        return ended

    def stop(self, kill: bool = False) -> None:
        pass


class QuietBoard:
    """Keeps remarks."""

    def __init__(self) -> None:
        self.remarks: list[str] = []

    def begin(self, number: int, planned: Planned) -> None:
        pass

    def progress(self, number: int, message: Progress) -> None:
        pass

    def end(self, number: int, result: CellResult) -> None:
        pass

    def remark(self, text: str) -> None:
        self.remarks.append(text)


DECLARATION = parse_study('variants = ["slot9", "spatial"]\nseeds = "0..1"\n', "mine.toml")


def plan_of(runs: Path) -> list[Planned]:
    return make_plan(expand(DECLARATION), runs, lambda dataset: Facts("f" * 64, (64, 64)))


def run_study(
    runs: Path, engine: InstantEngine, budget: Budget = NO_LIMIT, retry_failed: bool = False
) -> Conducted:
    plan = plan_of(runs)
    return conduct(plan, make_orders(plan, RunOptions(runs)), engine, QuietBoard(), budget, retry_failed)


def write_run(planned: Planned, status: str, reason: str | None = None) -> None:
    """The record of a run, as an earlier session left it."""
    cell = planned.cell
    record = RunRecord.model_validate(
        {
            "status": status,
            "reason": reason,
            "cell": CellRecord(
                protocol=cell.protocol.name, dataset=cell.dataset, variant=cell.variant, seed=cell.seed
            ),
            "kind": "variant",
            "protocol": cell.protocol.model_dump(mode="json"),
            "protocol_hash": planned.wanted.protocol_hash,
            "data_fingerprint": "f" * 64,
            "schedule_hash": planned.wanted.schedule_hash,
            "parameters": planned.wanted.parameters,
            "images_to_see": 200,
            "environment": describe_environment("cpu", 1),
            "started": "2026-01-01T00:00:00+00:00",
        }
    )
    RunFolder(planned.folder).write(record)


def ends(conducted: Conducted) -> list[str]:
    return [result.end for result in conducted.results]


def test_a_failed_cell_stops_no_other(tmp_path: Path) -> None:
    engine = InstantEngine(lambda order: fails(order) if order.variant == "slot9" else done(order))
    assert ends(run_study(tmp_path, engine)) == ["failed", "done", "failed", "done"]


def test_seeds_are_outermost_so_that_a_short_study_has_all_variants(tmp_path: Path) -> None:
    engine = InstantEngine(done)
    run_study(tmp_path, engine)
    assert engine.began == ["slot9 0", "spatial 0", "slot9 1", "spatial 1"]


def test_finished_cells_are_skipped_and_unfinished_ones_go_on(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    write_run(plan[0], "done")
    write_run(plan[1], "running")
    engine = InstantEngine(done)
    assert ends(run_study(tmp_path, engine)) == ["skipped", "done", "done", "done"]
    assert "slot9 0" not in engine.began


def test_failed_cells_are_run_again_only_when_asked(tmp_path: Path) -> None:
    write_run(plan_of(tmp_path)[0], "failed", "a reason")
    left_alone = run_study(tmp_path, InstantEngine(done))
    assert left_alone.results[0].end == "failed"
    assert left_alone.results[0].reason == "a reason"
    assert run_study(tmp_path, InstantEngine(done), retry_failed=True).results[0].end == "done"


def test_a_finished_run_of_another_schedule_is_not_taken_for_this_one(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    write_run(plan[0], "done")
    folder = RunFolder(plan[0].folder)
    folder.update(schedule_hash="0" * 16)
    plan = plan_of(tmp_path)
    assert plan[0].standing.state == "other"
    assert "1 cell will be refused" in plan_remarks(plan, DECLARATION.study, tmp_path)[-1]


def test_an_emptied_record_is_an_unfinished_run_and_a_damaged_one_a_failed_run(tmp_path: Path) -> None:
    first, second, *_ = plan_of(tmp_path)
    for planned, text in ((first, ""), (second, "{")):
        planned.folder.mkdir(parents=True)
        (planned.folder / "run.json").write_text(text, encoding="utf-8")
    first, second, *_ = plan_of(tmp_path)
    assert first.standing.state == "unfinished"
    assert second.standing.state == "failed"
    assert "is damaged" in second.standing.reason


def test_max_failures_stops_the_study_and_leaves_the_rest_to_do(tmp_path: Path) -> None:
    conducted = run_study(tmp_path, InstantEngine(fails), Budget(failures=1))
    assert ends(conducted) == ["failed", "failed", "waiting", "waiting"]
    assert conducted.stopped == "Stopped after 2 failures (--max-failures 1)"


def test_earlier_failures_do_not_count_against_max_failures(tmp_path: Path) -> None:
    write_run(plan_of(tmp_path)[0], "failed", "before")
    conducted = run_study(tmp_path, InstantEngine(done), Budget(failures=1))
    assert ends(conducted) == ["failed", "done", "done", "done"]


def test_a_folder_that_another_process_holds_is_tried_again_until_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS_UNTIL_HELD_IS_TRIED_AGAIN", 0.01)
    plan, board = plan_of(tmp_path), QuietBoard()
    refusals = iter(["held", "held"])

    def ending(order: Order) -> Outcome:
        if order.variant == "slot9" and next(refusals, None):
            return Outcome(outcome="held")
        return done(order)

    orders = make_orders(plan, RunOptions(tmp_path))
    conducted = conduct(plan, orders, InstantEngine(ending), board, Budget())
    assert ends(conducted) == ["done"] * 4
    assert all("held by another process" in remark for remark in board.remarks)


def test_a_cell_that_another_driver_finished_meanwhile_is_not_executed_again(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    orders = make_orders(plan, RunOptions(tmp_path))
    for planned in plan:
        write_run(planned, "done")
    engine = InstantEngine(done)
    assert ends(conduct(plan, orders, engine, QuietBoard(), Budget())) == ["skipped"] * 4
    assert engine.began == []
