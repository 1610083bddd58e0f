"""What is printed: every command prints in every encoding, and says where its output cannot go."""

import codecs
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bench.cli

SLOT9 = "runs/tiny/toy-stripes/slot9/seed0"
OF_A_RUN = (
    ["run", "--variant", "slot9", "--protocol", "tiny.toml", "--threads", "1"],
    ["score", SLOT9, "--threads", "1"],
    ["compare", "slot9", "spatial"],
    ["list", "runs"],
    ["study", "--variant", "slot*", "--protocol", "tiny.toml", "--dry-run"],
    ["doctor"],
    ["list", "metrics"],
)
LIGHT = (
    ["--help"],
    ["report", "--help"],
    ["list", "variants"],
    ["list", "datasets"],
    ["run", "--variant", "slöt9"],
    ["run", "--variant", "slot9", "--protocol", "→.toml"],
    ["run", "--variant", "slot9", "--set", "images.größe=3"],
    ["list", "wîngs"],
    ["compare", "a", "b", "--runs", "nowhere-\udcff"],
)
ENCODINGS = ("ascii", "latin-1", "cp1252", "utf-8")


class Printed(NamedTuple):
    """How a command ended and the bytes that it printed."""

    code: object
    out: bytes
    err: bytes


@pytest.fixture
def printed(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Printed]:
    """Run a command in this process, with streams of the given encoding as Python makes them."""
    monkeypatch.chdir(workplace)
    monkeypatch.setenv("BENCH_CACHE", str(workplace / "cache"))
    monkeypatch.setenv("BENCH_DATA", str(workplace / "data"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(arguments: list[str], encoding: str) -> Printed:
        streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True) for _ in range(2)]
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["bench", *arguments])
            patch.setattr(sys, "stdout", streams[0])
            patch.setattr(sys, "stderr", streams[1])
            code: object = 0
            try:
                bench.cli.main()
            except SystemExit as end:
                code = end.code or 0
        out, err = (stream.buffer.getvalue() for stream in streams)  # type: ignore[attr-defined]
        return Printed(code, out, err)

    return run


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_a_command_prints_its_text_and_its_errors_in_every_encoding(
    printed: Callable[..., Printed], arguments: list[str], encoding: str
) -> None:
    outcome, usual = printed(arguments, encoding), printed(arguments, "utf-8")
    assert outcome.code == usual.code
    assert len(outcome.out.splitlines()) == len(usual.out.splitlines())
    assert len(outcome.err.splitlines()) == len(usual.err.splitlines())
    assert outcome.out or outcome.err


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("arguments", OF_A_RUN, ids=" ".join)
def test_a_command_of_runs_prints_in_every_encoding_and_its_json_is_the_same(
    printed: Callable[..., Printed], finished_runs: Path, arguments: list[str], encoding: str
) -> None:
    assert printed(arguments, encoding).code == 0
    document = json.loads(printed([*arguments, "--json"], encoding).out.decode(encoding))
    usual = json.loads(printed([*arguments, "--json"], "utf-8").out)
    assert without_times(document) == without_times(usual)


def without_times(value: object) -> object:
    """A JSON value without what differs between two calls: the room left on the disk."""
    if isinstance(value, list):
        return [
            without_times(each) for each in value if not isinstance(each, dict) or "free" not in str(each)
        ]
    return value


def test_a_table_keeps_its_numbers_and_its_columns_in_ascii(
    printed: Callable[..., Printed], finished_runs: Path
) -> None:
    arguments = ["score", SLOT9, "--threads", "1"]
    plain = printed(arguments, "ascii").out.decode("ascii")
    rows = [line for line in plain.splitlines() if "A > B" in line or "B > A" in line]
    assert rows
    assert len({max(row.find("A > B"), row.find("B > A")) for row in rows}) == 1


def test_a_progress_bar_and_a_board_are_drawn_in_ascii(
    printed: Callable[..., Printed], finished_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    scored = printed(["score", SLOT9, "--threads", "1"], "ascii")
    study = [
        "study",
        "--variant",
        "slot9",
        "--variant",
        "spatial",
        "--protocol",
        "tiny.toml",
        "--threads",
        "1",
    ]
    studied = printed(study, "ascii")
    assert (scored.code, studied.code) == (0, 0)
    assert b"2 of 2 done" in studied.err


@given(
    st.text(alphabet=st.characters(exclude_categories=())), st.sampled_from(["ascii", "latin-1", "cp1252"])
)
def test_every_text_can_be_printed_and_json_stays_json(text: str, encoding: str) -> None:
    codecs.register_error("bench", bench.cli.nearest)
    assert isinstance(text.encode(encoding, "bench"), bytes)
    well_formed = text.encode("utf-16", "replace").decode("utf-16")
    letters = "".join(sign for sign in well_formed if not sign.translate(bench.cli.PLAIN).isascii())
    spelled = json.dumps(letters, ensure_ascii=False).encode(encoding, "bench").decode(encoding)
    assert json.loads(spelled) == letters


def test_a_byte_of_a_file_name_that_is_no_text_is_printed_as_that_byte() -> None:
    codecs.register_error("bench", bench.cli.nearest)
    for encoding in ENCODINGS:
        assert "a\udcffb".encode(encoding, "bench") == b"a\xffb"


@pytest.mark.parametrize("arguments", [["list", "variants"], ["list", "metrics", "--json"]], ids=" ".join)
def test_output_that_cannot_be_written_is_said_and_the_command_failed(arguments: list[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full on this system")
    command = [sys.executable, "-m", "bench", *arguments]
    with Path("/dev/full").open("w") as full:
        outcome = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("bench: Reading or writing: No space left on device. Free some disk")
    assert len(outcome.stderr.splitlines()) == 1
