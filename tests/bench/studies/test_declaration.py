"""A study file: what it may say, and errors that name file, line and key."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import variants
from bench.cell import HIGHEST_SEED
from bench.cli import options
from bench.errors import UsageError
from bench.setup import MOST_THREADS
from bench.studies.conduct import engine_settings
from bench.studies.grid import Grid, control_folders, expand, run_folders
from bench.studies.plan import Facts, make_plan
from bench.studies.study import load_study, parse_seeds, parse_study, study_names
from bench.studies.summary import plan_remarks

HEAD = 'variants = ["slot9", "spatial"]\n'


def grid_of(text: str) -> Grid:
    return expand(parse_study(text, "mine.toml"))


@pytest.mark.parametrize("name", study_names())
def test_every_shipped_study_expands(name: str) -> None:
    grid = expand(load_study(name))
    assert len(list(grid.compared_cells())) == len(grid.variants) * len(grid.datasets) * len(grid.seeds)
    assert grid.comparisons


def test_nine_slots_is_the_papers_study() -> None:
    grid = expand(load_study("nine-slots.toml"))
    assert set(grid.variants) == {
        "spatial", "encoded-slot5", "slot5", "slot9", "light-spatial5", "light-slot5", "uniform",
        "cyclegan", "colour", "copy",
    }  # fmt: skip
    assert set(grid.datasets) == {"summer2winter_yosemite", "horse2zebra", "apple2orange"}
    assert grid.seeds == (0, 1, 2, 3, 4)
    assert grid.control == "spatial"


def test_section_7_compares_every_choice_with_the_published_one() -> None:
    """What `light-slot5` shares with the main model is compared on the main model.

    Slots without noise and attention as the masks are not among the paper's possible improvements.
    """
    compared = {a for a, _ in expand(load_study("section-7.toml")).comparisons}
    for published in ("slot9", "light-slot5"):
        for each in variants.describe(published).parameters.values():
            if published != "slot9" and each.name in variants.describe("slot9").parameters:
                continue
            choices = each.choices or (("true", "false") if each.kind == "bool" else ())
            beyond = {"none"} if each.name == "noise" else set(choices) if each.off is not None else set()
            for choice in set(choices) - {each.spelled_default} - beyond:
                wanted = rf"{published}\[(.*,)?{each.name}={choice}[,\]]"
                assert any(re.match(wanted, text) for text in compared), wanted


def test_a_name_that_is_no_study_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"Unknown study 'smok'. Did you mean 'smoke'\?"):
        load_study("smok")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEAD + "sedes = [0]\n",
            "mine.toml, line 2, sedes: there is no such key. Did you mean 'seeds'? Keys: name, summary",
        ),
        (
            HEAD + "[engine]\nworkers = 0\n",
            "mine.toml, line 3, engine.workers: Input should be greater than 0",
        ),
        (HEAD + "[engine]\nhosts = 2\n", "mine.toml, line 3, engine.hosts: there is no such key. Keys: kind"),
        (
            HEAD + "\nseeds = [0, -1]\n",
            "mine.toml, line 3, seeds: Input should be greater than or equal to 0",
        ),
        (HEAD + 'seeds = "4..0"\n', "mine.toml, line 2, seeds: the seeds 4..0 run backwards; write 0..4"),
        (HEAD + 'seeds = "many"\n', "write 0..4 for the seeds 0 to 4, or 0,2,7"),
        (HEAD + "datasets = []\n", "mine.toml, line 2, datasets: give a list of at least 1"),
        (
            'variants = [\n  "slot9",\n  3,\n]\n',
            "mine.toml, line 3, variants: Input should be a valid string",
        ),
        ('variants = "slot9"\n', "mine.toml, line 1, variants: give a list, as in"),
        (HEAD + 'changes = "a"\n', "mine.toml, line 2, changes: give a list, as in"),
        (HEAD + "engine = 2\n", "mine.toml, line 2, engine: give a table: a line [engine] above its keys"),
        ("seeds = [0]\n", "name at least one variant or baseline"),
        (
            "[images]\nsize = 64\n",
            "mine.toml is no study: it names neither variants nor baselines.\nmine.toml, ",
        ),
        ("variants = [\n", "mine.toml is not readable TOML"),
    ],
)
def test_a_wrong_study_file_is_refused_with_line_and_key(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_study(text, "mine.toml")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('variants = ["slto9"]\n', "mine.toml, line 1, variants: Unknown variant 'slto9'"),
        (
            'variants = [\n "slot9",\n "slot9[itrations=1|2]",\n]\n',
            "mine.toml, line 3, variants: Unknown parameter",
        ),
        ('variants = ["slot9[iterations=0]"]\n', "iterations=0 is not allowed"),
        ('variants = ["tree*"]\n', "'tree*' matches nothing"),
        ('variants = ["slot9[]]"]\n', "Write a name, a wildcard (slot*) or a grid"),
        (HEAD + 'datasets = ["zebras"]\n', "mine.toml, line 2, datasets: Unknown dataset 'zebras'"),
        (HEAD + 'datasets = ["./nowhere"]\n', "mine.toml, line 2, datasets: There is no folder nowhere"),
        (HEAD + 'protocol = "smal"\n', "mine.toml, line 2, protocol: Unknown protocol 'smal'"),
        (
            HEAD + 'changes = ["train.images_seen=abc"]\n',
            "mine.toml, line 2, changes: Protocol smoke is not valid",
        ),
        (HEAD + 'changes = ["model.widht=3"]\n', "model.widht is a parameter of no variant"),
        (HEAD + 'comparisons = [["slot9", "slot5"]]\n', "slot5 is not among the variants of this study"),
        (HEAD + 'comparisons = [["slot9", "slot9"]]\n', "slot9 is compared with itself"),
        (HEAD + 'control = "slot5"\n', "mine.toml, line 2, control: slot5 is not among the variants"),
        (
            HEAD + 'baselines = ["copy"]\ncontrol = "copy"\n',
            "mine.toml, line 3, control: copy trains nothing: its further runs would be the first ones again",
        ),
        (HEAD + 'control = "slto9"\n', "mine.toml, line 2, control: Unknown variant 'slto9'"),
    ],
)
def test_a_name_that_does_not_exist_is_refused_with_line_and_key(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        grid_of(text)
    assert message in str(error.value)


def test_a_list_of_wrong_values_alone_is_not_called_short_too() -> None:
    with pytest.raises(UsageError) as error:
        parse_study(HEAD + "seeds = [1.5]\n", "mine.toml")
    assert str(error.value) == "mine.toml, line 2, seeds: Input should be a valid integer (given: 1.5)"


def test_two_data_sets_of_one_name_would_share_folders_and_are_refused(tmp_path: Path) -> None:
    for place in ("a", "b"):
        (tmp_path / place / "zebras").mkdir(parents=True)
    with pytest.raises(UsageError, match="two data sets are called zebras"):
        grid_of(HEAD + f'datasets = ["{tmp_path}/a/zebras", "{tmp_path}/b/zebras"]\n')


def test_lists_of_parameters_span_a_grid_in_canonical_spelling() -> None:
    grid = grid_of('protocol = "paper-128"\nvariants = ["slot9[slots=3|4,iterations=3|1]"]\n')
    assert grid.variants == (
        "slot9[slots=3]",
        "slot9[slots=3,iterations=1]",
        "slot9[slots=4]",
        "slot9[slots=4,iterations=1]",
    )


def test_wildcards_match_the_kind_of_their_list_and_names_come_once() -> None:
    grid = grid_of('variants = ["slot*", "slot9[iterations=3]"]\nbaselines = ["c?py", "cyc*"]\n')
    assert grid.variants == ("slot5", "slot9", "copy", "cyclegan")


def test_a_value_that_the_protocol_gives_anyway_is_the_same_cell() -> None:
    grid = grid_of('protocol = "small"\nvariants = ["slot9", "slot9[slot_size=32]"]\n')
    assert grid.variants == ("slot9",)


@given(st.integers(0, 50), st.integers(0, 50))
def test_a_range_of_seeds_has_both_ends(first: int, length: int) -> None:
    assert parse_seeds(f"{first}..{first + length}") == tuple(range(first, first + length + 1))


def test_run_folders_are_exactly_those_of_the_study(tmp_path: Path) -> None:
    grid = grid_of(HEAD + "seeds = [0, 1]\n")
    first = next(grid.cells()).folder(tmp_path)
    for folder in (first, first.parent / "seed7"):
        folder.mkdir(parents=True)
        (folder / "run.json").write_text("{}", encoding="utf-8")
    assert [folder.path for folder in run_folders(grid, tmp_path)] == [first]


def test_a_control_is_run_again_with_as_many_further_seeds_after_everything_else(tmp_path: Path) -> None:
    grid = grid_of(HEAD + 'seeds = [0, 3]\ncontrol = "spatial"\n')
    cells = [(cell.variant, cell.seed) for cell in grid.cells()]
    assert cells[:4] == [("slot9", 0), ("spatial", 0), ("slot9", 3), ("spatial", 3)]
    assert cells[4:] == [("spatial", 4), ("spatial", 5)]
    for cell in grid.cells():
        cell.folder(tmp_path).mkdir(parents=True)
        (cell.folder(tmp_path) / "run.json").write_text("{}", encoding="utf-8")
    assert len(run_folders(grid, tmp_path)) == 4
    assert [folder.path.name for folder in control_folders(grid, tmp_path)] == ["seed4", "seed5"]


@pytest.mark.parametrize("seeds", ["0..999999", "0..9,5..1000000000000", "0..9999,7"])
def test_more_seeds_than_a_study_may_have_are_refused_before_they_are_counted_out(seeds: str) -> None:
    with pytest.raises(UsageError, match=r"seeds: .* too many seeds; a study has at most 10000"):
        parse_study(f'{HEAD}seeds = "{seeds}"\n', "mine.toml")


@pytest.mark.parametrize("seed", ["-1", "4611686018427387905", "1e3"])
def test_a_seed_that_no_table_can_hold_is_refused(seed: str) -> None:
    with pytest.raises(UsageError, match=r"line 2, seeds"):
        parse_study(f"{HEAD}seeds = [{seed}]\n", "mine.toml")


def test_the_command_takes_the_seeds_that_a_study_takes() -> None:
    assert HIGHEST_SEED == options.HIGHEST_SEED
    assert MOST_THREADS == options.MOST_THREADS
    assert parse_study(f"{HEAD}seeds = [{HIGHEST_SEED}]\n", "mine.toml").study.seeds == (HIGHEST_SEED,)


def test_a_grid_of_more_cells_than_can_be_planned_is_refused() -> None:
    iterations = "|".join(str(number) for number in range(1, 1001))
    grid = HEAD.replace("slot9", f"slot9[iterations={iterations}]") + 'seeds = "0..999"\n'
    with pytest.raises(UsageError, match=r"make 1001000 cells; a study has at most 100000"):
        grid_of(grid)
    with pytest.raises(UsageError, match="stands for more than 100000 variants"):
        grid_of(HEAD.replace("slot9", f"slot9[iterations={iterations},slots={iterations}]"))


@pytest.mark.parametrize(
    ("key", "value"),
    [("workers", 0), ("workers", 5000), ("threads", 100000), ("gpus", -1.0), ("gpus", "inf"),
     ("memory_gib", "nan"), ("memory_gib", 0.0), ("node_losses", -1), ("node_losses", 10**30)],
)  # fmt: skip
def test_an_engine_that_no_machine_has_is_refused(key: str, value: object) -> None:
    with pytest.raises(UsageError, match=rf"line 3, engine\.{key}: Input should be"):
        parse_study(f"{HEAD}[engine]\n{key} = {value}\n", "mine.toml")


@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        (
            'kind = "slrum"',
            {},
            r"mine\.toml, line 3, engine\.kind: Unknown engine 'slrum'\..*There are: .*local, ray",
        ),
        ('kind = "local"', {"kind": "rya"}, r"--engine: Unknown engine 'rya'\. Did you mean 'ray'\?"),
        (
            "[engine.options]\nhours = 2",
            {},
            r"mine\.toml, line 4, engine\.options\.hours: .*local takes none",
        ),
    ],
)
def test_an_engine_is_refused_before_anything_begins_where_it_is_unknown_or_lacks_an_option(
    text: str, given: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        engine_settings(parse_study(f"{HEAD}[engine]\n{text}\n", "mine.toml"), given)


@pytest.mark.parametrize("name", ["", "..", "a/b", "two\\nlines"])
def test_a_studys_name_is_no_path_and_not_empty(name: str) -> None:
    with pytest.raises(UsageError, match=r"mine\.toml, line 2, name: "):
        parse_study(f'{HEAD}name = "{name}"\n', "mine.toml")


def test_a_study_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode())
    assert load_study(file).study.variants == ("slot9", "spatial")


def test_the_command_that_measures_a_study_sets_its_length_once() -> None:
    study = parse_study(f'{HEAD}changes = ["train.epochs=3", "train.batch=2"]\n', "mine.toml")
    plan = make_plan(expand(study), Path("nowhere"), lambda name: Facts(None, None))
    command = plan_remarks(plan, study.study, Path("nowhere"))[-1]
    assert command.count("--set") == 2
    assert "--set train.batch=2 --set train.images_seen=40 --runs nowhere" in command


def test_steps_are_measured_of_what_has_some() -> None:
    study = parse_study(f'{HEAD}baselines = ["copy", "cyclegan"]\n', "mine.toml")
    plan = list(reversed(make_plan(expand(study), Path("nowhere"), lambda name: Facts(None, None))))
    trained = [each for each in plan if each.cell.variant != "copy"]
    assert plan[0].cell.variant == "cyclegan"
    [remark] = plan_remarks(
        [each for each in plan if each not in trained] + trained, study.study, Path("there")
    )
    assert f"for {len(trained)} cells: no run of equal steps" in remark
    assert "--variant cyclegan" in remark
    assert remark.endswith("--runs there")
