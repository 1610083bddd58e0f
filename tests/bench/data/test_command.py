"""`bench data`, as typed."""

import json

import pytest
from typer.testing import CliRunner

from bench.cli.data import app
from bench.errors import BenchError


@pytest.fixture
def typed(monkeypatch, tmp_path):
    """Runs the command with a data folder of its own; errors of bench come out as they are."""
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))

    def run(*words):
        result = CliRunner().invoke(app, [str(word) for word in words])
        if isinstance(result.exception, BenchError):
            raise result.exception
        return result

    return run


def test_verify_prints_counts_duplicates_and_leaks(typed, image_folder):
    folder = image_folder()
    (folder / "testA/leak.jpg").write_bytes((folder / "trainA/000.jpg").read_bytes())
    result = typed("verify", folder)
    assert result.exit_code == 0
    for line in (
        "trainA: 6 images",
        "identical files: 1 groups, 2 files",
        "leak: 1 of testA in trainA",
        "usable, not sound: 2 identical files in 1 groups; 1 of testA in trainA.",
    ):
        assert line in result.stdout


def test_verify_speaks_json(typed, image_folder):
    result = typed("verify", image_folder(), "--json")
    assert json.loads(result.stdout)["counts"] == {"trainA": 6, "trainB": 5, "testA": 3, "testB": 2}


def test_verify_exits_with_one_when_a_set_is_not_genuine(typed, image_folder):
    image_folder(name="data/horse2zebra")
    result = typed("verify", "horse2zebra")
    assert result.exit_code == 1
    assert "trainA: 6 images, 1067 expected" in result.stdout
    assert "NOT the genuine files" in result.stdout


def test_path_prints_the_folder(typed, image_folder):
    folder = image_folder(name="data/maps")
    assert typed("path", "maps").stdout.strip() == str(folder)


def test_path_of_a_set_that_is_not_here_names_the_command(typed):
    with pytest.raises(BenchError, match="bench data get maps"):
        typed("path", "maps")


def test_get_from_an_archive_of_another_set_is_refused(typed, image_folder, zipped):
    with pytest.raises(BenchError, match="is not maps"):
        typed("get", "maps", "--archive", zipped(image_folder()))


def test_get_says_when_the_set_is_here_already(typed, image_folder):
    folder = image_folder(name="data/maps")
    result = typed("get", "maps")
    assert result.stdout.strip() == str(folder)
    assert "here already" in result.stderr
