"""One answer to "is the data set here?", whoever asks; and what is in its place is never lost."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench import doctor
from bench.cli import app
from bench.data.catalogue import SETS, find_real, listing
from bench.data.load import load_dataset
from bench.errors import BenchError
from bench.protocol import ImageSettings
from bench.scoring.networks import load_network

SPLITS = ("trainA", "trainB", "testA", "testB")
EMPTY = {"an empty folder", "empty splits"}
"""What may be replaced: nothing is lost."""
STATES = sorted(
    {"nothing", "a file", "a lost link", "an empty split", "hidden images", "no test split", *EMPTY}
)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    entry = replace(find_real("maps"), name="tiny", counts=(6, 5, 3, 2), addresses=())
    monkeypatch.setitem(SETS, "tiny", entry)
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def state(request: pytest.FixtureRequest, data: Path, image_folder: Callable[..., Path]) -> str:
    """Puts something where the data set `tiny` belongs."""
    place = data / "tiny"
    match request.param:
        case "a file":
            place.write_text("mine")
        case "a lost link":
            place.symlink_to("/nowhere")
        case "an empty folder":
            place.mkdir()
        case "empty splits":
            for split in SPLITS:
                (place / split).mkdir(parents=True)
        case "an empty split":
            image_folder(name="data/tiny")
            shutil.rmtree(place / "trainB")
            (place / "trainB").mkdir()
        case "hidden images":
            image_folder(name="data/tiny")
            for path in (place / "testA").iterdir():
                path.rename(path.with_name(f"._{path.name}"))
        case "no test split":
            image_folder(name="data/tiny")
            shutil.rmtree(place / "testB")
    return str(request.param)


def typed(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(result.exception, BenchError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def answers() -> dict[str, bool]:
    """Whether the set `tiny` is here, by everybody who can be asked."""

    def works(ask: Callable[[], object]) -> bool:
        try:
            ask()
        except BenchError as error:
            if "tiny is not here" not in str(error) or "bench data get tiny" not in str(error):
                raise
            return False
        return True

    return {
        "list": next(row["here"] for row in listing() if row["name"] == "tiny"),
        "doctor": next(each.fine for each in doctor.data_sets() if each.subject == "data tiny"),
        "path": works(lambda: typed("data", "path", "tiny")),
        "verify": works(lambda: typed("data", "verify", "tiny")),
        "load": works(lambda: load_dataset("tiny", ImageSettings(size=16, load_size=16))),
    }


@pytest.mark.parametrize("state", STATES, indirect=True)
def test_what_is_no_data_set_is_here_for_nobody(state: str, data: Path) -> None:
    assert not any(answers().values())


def test_a_whole_data_set_is_here_for_everybody(data: Path, image_folder: Callable[..., Path]) -> None:
    image_folder(name="data/tiny")
    assert all(answers().values())
    assert "is here already" in typed("data", "get", "tiny")


@pytest.mark.parametrize("state", STATES, indirect=True)
def test_get_brings_the_set_where_nothing_is_lost_and_else_names_what_to_remove(
    state: str, data: Path, image_folder: Callable[..., Path], zipped: Callable[..., Path]
) -> None:
    archive = zipped(image_folder(name="whole"))
    if state in {"nothing", *EMPTY}:
        typed("data", "get", "tiny", "--archive", archive)
        assert all(answers().values())
        return
    before = sorted(str(path) for path in data.rglob("*"))
    with pytest.raises(BenchError, match=rf"not overwritten\. .*: rm -r {data}/tiny") as refused:
        typed("data", "get", "tiny", "--archive", archive)
    assert sorted(str(path) for path in data.rglob("*")) == before
    os.system(str(refused.value).split("repeat the command: ")[1])
    typed("data", "get", "tiny", "--archive", archive)
    assert all(answers().values())


def test_a_data_set_that_a_link_leads_to_is_here(data: Path, image_folder: Callable[..., Path]) -> None:
    (data / "tiny").symlink_to(image_folder(name="elsewhere"))
    assert all(answers().values())


def test_an_archive_that_somebody_put_beside_is_used_and_kept(
    data: Path, image_folder: Callable[..., Path], zipped: Callable[..., Path]
) -> None:
    shutil.copy(zipped(image_folder(name="whole")), data / "tiny.zip")
    typed("data", "get", "tiny")
    assert all(answers().values())
    assert (data / "tiny.zip").is_file()
    shutil.rmtree(data / "tiny")
    (data / "tiny.zip").write_bytes(b"mine")
    with pytest.raises(BenchError, match="It was found there: remove it to have it downloaded"):
        typed("data", "get", "tiny")
    assert (data / "tiny.zip").read_bytes() == b"mine"


def test_a_place_that_cannot_be_written_names_the_option(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data / "file").write_text("in the way")
    monkeypatch.setitem(SETS, "tiny", replace(SETS["tiny"], addresses=("http://127.0.0.1:1/tiny.zip",)))
    with pytest.raises(BenchError, match=r"Could not write .*--data"):
        typed("data", "get", "tiny", "--data", data / "file" / "inside")


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user has no entry in passwd and no HOME."""
    import pwd

    def unknown(_: int) -> None:
        raise KeyError("uid not found")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "BENCH_DATA", "BENCH_CACHE", "XDG_CACHE_HOME", "TORCH_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("homeless")
def test_without_a_home_folder_lists_are_printed_and_work_names_the_variables(
    image_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "horse2zebra" in typed("list", "datasets")
    assert "set BENCH_DATA and BENCH_CACHE" in typed("doctor")
    folder = image_folder()
    sides = ("--real", folder / "trainA", "--fake", folder / "trainB", "--features", "tiny")
    for words in (
        ("data", "path", "maps"),
        ("data", "get", "maps"),
        ("run", "--variant", "copy"),
        ("score", *sides),
    ):
        with pytest.raises(BenchError, match="set BENCH_DATA and BENCH_CACHE") as refused:
            typed(*words)
        assert refused.value.exit_code == 2
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    assert "FD(tiny)" in typed("score", *sides)
    assert not (tmp_path / "~").exists()


@pytest.mark.usefixtures("homeless")
def test_weights_without_a_home_folder_name_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BenchError, match="no home folder to keep weights in: set TORCH_HOME"):
        load_network("squeezenet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["~nobody-of-this-name/photos", "~nobody-of-this-name"])
def test_a_home_folder_that_there_is_not_is_told(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_DATA", path)
    with pytest.raises(BenchError, match="there is no such home folder"):
        typed("data", "path", "maps")
