"""Figures of the documentation can be made again, and the numbers of its results are filled, never typed."""

import importlib.util
import json
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

import variants
from bench.studies.grid import expand
from bench.studies.study import load_study

FIGURES = Path(__file__).parents[1] / "docs" / "figures"
RESULTS = Path(__file__).parents[1] / "docs" / "results"


def script(path: Path) -> ModuleType:
    """A script as a module, with what lies beside it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def section_7() -> ModuleType:
    return script(FIGURES / "section_7.py")


@pytest.fixture(scope="module")
def evidence() -> ModuleType:
    return script(RESULTS / "evidence.py")


def test_the_study_behind_the_figures_holds_every_setting_and_no_other(section_7: ModuleType) -> None:
    shown = {setting for settings in section_7.FIGURES.values() for setting in settings}
    assert shown == set(expand(load_study(str(FIGURES / "section-7.toml"))).variants)


def test_every_setting_of_the_table_of_costs_is_spelled_canonically(section_7: ModuleType) -> None:
    assert [variants.canonical(text) for text in section_7.COSTS] == section_7.COSTS


@pytest.mark.parametrize(
    ("least", "largest", "text"), [(0.1, 0.25, "0.10-0.25"), (0.11, 0.1100003, "0.11 +3e-07")]
)
def test_the_range_of_a_mask_says_how_little_it_varies(
    section_7: ModuleType, least: float, largest: float, text: str
) -> None:
    assert section_7.between(least, largest) == text


def test_every_number_of_the_pages_is_that_of_the_committed_results() -> None:
    for path, text in script(RESULTS / "pages.py").pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: python docs/results/pages.py fills it"


@pytest.mark.parametrize("study", ["small", "awake"])
def test_the_committed_records_hold_the_finished_runs_in_the_results(study: str) -> None:
    pages = script(RESULTS / "pages.py")
    with tarfile.open(RESULTS / "records.tar.xz") as archive:
        names = {name.removesuffix("/run.json") for name in archive.getnames() if name.endswith("/run.json")}
        assert not [name for name in archive.getnames() if name.startswith("/") or ".." in name.split("/")]
    assert {run.run for run in pages.reported(study, pages.read(study)).facts.runs_done()} <= names


def test_no_picture_of_a_photograph_is_committed_with_the_results() -> None:
    pictures = {path.suffix for path in RESULTS.rglob("*") if path.is_file()} & {".jpg", ".jpeg", ".webp"}
    assert not pictures
    assert [path.name for path in RESULTS.rglob("*.png")] == ["masks-over-training.png"]


def result(evidence: ModuleType, values: dict[str, dict[str, float]], metric: str = "kd(tiny)") -> object:
    """Evidence of one data set: variant -> seed -> value in both directions; floor 1, ceiling 10."""
    scores = [
        {
            **{"variant": variant, "direction": direction, "selection": "last", "metric": metric},
            **{"better": "lower", "values": of_seed, "mean": sum(of_seed.values()) / len(of_seed)},
            **{"interval": None, "floor": 1.0, "ceiling": 10.0},
        }
        for variant, of_seed in values.items()
        for direction in ("A2B", "B2A")
    ]
    group = {
        **{"protocol": "p", "dataset": "d", "protocol_hashes": [], "data_fingerprints": []},
        **{"schedule_differences": [], "runs": [], "losses": [], "comparisons": [], "summary": {}},
    }
    told = {"groups": [{**group, "scores": scores}], "left_out": []}
    return evidence.Evidence(evidence.Results.model_validate(told))


def test_pairs_of_runs_are_counted_over_the_seeds_that_both_have(evidence: ModuleType) -> None:
    found = result(evidence, {"a": {"0": 1.0, "1": 5.0, "2": 9.0}, "b": {"0": 2.0, "1": 4.0}})
    assert found.lower("a", "b", "kd(tiny)") == "2 of 4"
    assert found.by_seed("a", "b", "kd(tiny)", "d") == "\N{MINUS SIGN}1.0, +1.0"
    assert found.nearer("a", "b", "kd(tiny)") == "2 of 4"  # nearer to the floor
    assert found.lower("a", "c", "kd(tiny)") == "not run"


def test_a_distance_is_told_as_a_share_of_what_copying_gets(evidence: ModuleType) -> None:
    found = result(evidence, {"a": {"0": 4.0, "1": 6.0}})
    assert found.of_copying("d", "a", "kd(tiny)") == "0.50 / 0.50"
    assert found.floor_of_copying("d", "kd(tiny)") == "0.10 / 0.10"


def test_a_variant_is_below_all_where_its_mean_is_the_least(evidence: ModuleType) -> None:
    found = result(evidence, {"a": {"0": 1.0}, "b": {"0": 2.0, "1": 3.0}})
    assert found.below_all("a", ["b", "c"], "kd(tiny)") == "2 of 2"
    assert found.below_all("b", ["a"], "kd(tiny)") == "0 of 2"
    assert found.below_all("c", ["a"], "kd(tiny)") == "not run"


def test_what_seeds_would_detect_follows_from_the_spread_of_paired_differences(evidence: ModuleType) -> None:
    found = result(evidence, {"a": {"0": 4.0, "1": 5.0, "2": 6.0}, "b": {"0": 5.0, "1": 5.0, "2": 5.0}})
    # Deviation 1: 5 pairs find 1.68 of it four times in five (noncentral t, 4 degrees of freedom).
    assert found.detectable("a", "b", "kd(tiny)", "d", seeds=5) == "1.7"
    assert found.detectable("a", "c", "kd(tiny)", "d", seeds=5) == "not run"


def claims_of(mean: float, interval: tuple[float, float] | None, verdict: str) -> object:
    """The claims of one comparison, of `a` with `b`."""
    claims = script(RESULTS / "evidence.py")
    return claims.Claims(
        [claims.Difference("d", "A2B", "kd", "a", "b", mean, interval, claims.Verdict(verdict))]
    )


def test_a_difference_is_told_in_the_order_asked_whichever_was_compared() -> None:
    found = claims_of(-4.0, (-7.0, -1.0), "supported difference")
    minus = "\N{MINUS SIGN}"
    assert found.tested("kd", "a", "b", "d") == f"**{minus}4.0 [{minus}7.0, {minus}1.0]**"
    assert found.tested("kd", "b", "a", "d") == "**+4.0 [+1.0, +7.0]**"
    assert (found.lower("kd", "a", "b"), found.lower("kd", "b", "a")) == ("1 of 1", "0 of 1")


def test_a_difference_that_is_not_supported_is_nobodys() -> None:
    found = claims_of(-4.0, (-9.0, 1.0), "no difference found")
    assert "**" not in found.tested("kd", "a", "b", "d")
    assert (found.lower("kd", "a", "b"), found.lower("kd", "b", "a")) == ("0 of 1", "0 of 1")


def test_without_an_interval_or_a_comparison_nothing_is_claimed() -> None:
    found = claims_of(-4.0, None, "range")
    assert found.tested("kd", "a", "b", "d") == "\N{MINUS SIGN}4.0"
    assert found.lower("kd", "a", "b") == "not run"
    for asked in (("kd", "a", "c", "d"), ("fd", "a", "b", "d"), ("kd", "a", "b", "d", "B2A")):
        assert found.tested(*asked) == "not run"


def test_a_reports_comparisons_are_claims_on_its_headline_distance() -> None:
    pages = script(RESULTS / "pages.py")
    read = pages.read("small").differences()
    assert {each.metric for each in read} == {"kd(squeezenet)"}
    assert {each.direction for each in read} == {"A2B", "B2A"}


def test_traces_that_differ_within_a_seed_are_told() -> None:
    pages = script(RESULTS / "pages.py")
    kept = pages.read("small")
    assert pages.reported("small", kept).facts.traces_agree()
    group = kept.results.groups[0]
    run = next(run for run in group.runs if run.trace_hash).model_copy(update={"trace_hash": "another"})
    groups = [group.model_copy(update={"runs": [*group.runs, run]})]
    changed = kept.model_copy(update={"results": kept.results.model_copy(update={"groups": groups})})
    assert not pages.reported("small", changed).facts.traces_agree()


def test_a_head_is_dead_below_a_thousandth(evidence: ModuleType) -> None:
    found = result(evidence, {"a": {"0": 2e-3, "1": 5e-4}}, "mask_spatial_deviation")
    assert found.dead_heads("a") == "2 of 4"
    assert found.dead_heads("b") == "-"


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        (("3 of 3", "2 of 2"), "Confirmed"),
        (("0 of 3", "0 of 2"), "Contradicted"),
        (("3 of 3", "1 of 2"), "Not always"),
        (("not run",), "Not run"),
    ],
)
def test_what_happens_is_confirmed_where_it_happened_in_every_run(
    evidence: ModuleType, counts: tuple[str, ...], verdict: str
) -> None:
    assert evidence.verdict_of_every(*counts) == verdict


def test_a_page_may_correct_over_everything_that_it_shows(evidence: ModuleType) -> None:
    def found(metric: str, p_value: float | None) -> object:
        supported = evidence.Verdict.SUPPORTED
        return evidence.Difference("set", "A2B", metric, "a", "b", 1.0, (0.5, 1.5), supported, p_value)

    claims = evidence.Claims([found("one", 0.001), found("two", 0.03), found("untested", None)])
    together = claims.corrected_together()
    assert together.tests == 2
    assert together.tested("one", "a", "b", "set").startswith("**")
    assert together.tested("two", "a", "b", "set").startswith("**"), "0.03 stands at the end of Holm's steps"
    among = evidence.Claims([found(name, 0.03) for name in ("one", "two")]).corrected_together()
    assert not among.tested("two", "a", "b", "set").startswith("**"), "twice 0.03 is above 0.05"
    assert among.tested("two", "b", "a", "set").startswith("\u22121.0 [")


def test_what_is_kept_of_the_ablation_is_declared_and_its_endpoint_is_that_of_the_last_validations() -> None:
    ablation = script(RESULTS / "ablation.py")
    declared = ablation.declared(RESULTS / "fast-ablation.toml")
    planned = {
        (each.stage, each.arm, each.cell.dataset, each.cell.variant, each.cell.seed)
        for each in declared.planned()
    }
    runs = json.loads((RESULTS / "fast-ablation.json").read_text())["runs"]
    keys = ("stage", "arm", "dataset", "variant", "seed")
    assert {tuple(run[key] for key in keys) for run in runs} <= planned
    assert len(ablation.table(runs).splitlines()) == 2 + len(runs)
    copy = {"copy_kd_A2B": 1.0, "copy_kd_B2A": 1.0}
    rows = [copy | {"kd_A2B": share, "kd_B2A": 3 * share} for share in (9, 1, 2, 3, 4)]
    assert ablation.endpoint({"validations": rows}) == 5.0, "the mean of both directions, of the last four"


def test_what_was_kept_of_the_ablation_stays_where_its_folders_are_gone(tmp_path: Path) -> None:
    ablation = script(RESULTS / "ablation.py")
    declared = ablation.declared(RESULTS / "fast-ablation.toml")
    earlier = ablation.read_kept(RESULTS / "fast-ablation.json")
    ablation.keep(declared, earlier, tmp_path / "kept.json")
    assert (tmp_path / "kept.json").read_bytes() == (RESULTS / "fast-ablation.json").read_bytes()
    assert not ablation.read_kept(tmp_path / "none.json")
