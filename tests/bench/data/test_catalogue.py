"""The catalogue of names."""

import subprocess
import sys

import pytest

from bench.data.catalogue import SETS, find, find_real, listing, sets
from bench.data.files import cache_root, data_root
from bench.data.scenes import SCENES
from bench.errors import UsageError

COUNTS = {
    "summer2winter_yosemite": (1231, 962, 309, 238),
    "horse2zebra": (1067, 1334, 120, 140),
    "apple2orange": (995, 1019, 266, 248),
    "maps": (1096, 1096, 1098, 1098),
    "monet2photo": (1072, 6287, 121, 751),
    "cezanne2photo": (525, 6287, 58, 751),
    "summer2winter_yosemite_150": (150, 150, 309, 238),
}


@pytest.mark.parametrize(("name", "counts"), COUNTS.items())
def test_counts_of_the_published_sets(name, counts):
    assert find_real(name).counts == counts


def test_the_embedded_sets_are_the_three_of_the_design():
    assert set(SCENES.entries()) == {"toy-stripes", "toy-season", "toy-shape"}


def test_addresses_name_the_archive_of_the_set():
    for name, entry in SETS.items():
        assert all(
            address == f"https://efrosgans.eecs.berkeley.edu/cyclegan/datasets/{name}.zip"
            for address in entry.addresses
        )


def test_an_unknown_name_is_answered_with_close_ones():
    with pytest.raises(UsageError, match=r"Unknown dataset 'horsezebra'. Did you mean 'horse2zebra'"):
        find("horsezebra")


def test_an_embedded_set_cannot_be_fetched():
    with pytest.raises(UsageError, match="embedded sets need no download"):
        find_real("toy-shape")


def test_the_listing_says_what_is_here(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    for split in ("trainA", "trainB", "testA", "testB"):
        (tmp_path / "maps" / split).mkdir(parents=True)
        (tmp_path / "maps" / split / "1.jpg").touch()
    rows = {row["name"]: row for row in listing()}
    assert set(rows) == set(sets())
    assert {name for name, row in rows.items() if row["here"]} == {
        "maps",
        "toy-stripes",
        "toy-season",
        "toy-shape",
    }
    assert rows["maps"]["path"] == str(tmp_path / "maps")
    assert rows["maps"]["images"] == "trainA 1096, trainB 1096, testA 1098, testB 1098"
    assert rows["horse2zebra"]["path"] is None
    assert rows["toy-shape"]["kind"] == "embedded"


def test_listing_names_imports_no_torch_and_reads_no_image():
    program = (
        "import sys, bench.data.catalogue as c; c.listing(); "
        "print(sorted({'torch', 'PIL', 'pydantic'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_loading_data_does_not_import_torch():
    program = "import sys, bench.data.load, bench.data.order, bench.data.fetch; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_places_come_from_the_argument_then_the_environment_then_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("BENCH_DATA", raising=False)
    monkeypatch.delenv("BENCH_CACHE", raising=False)
    assert data_root() == tmp_path / "home/.local/share/bench/data"
    assert cache_root() == tmp_path / "home/.cache/bench"
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "d"))
    monkeypatch.setenv("BENCH_CACHE", "~/c")
    assert data_root() == tmp_path / "d"
    assert cache_root() == tmp_path / "home/c"
    assert data_root(tmp_path) == cache_root(tmp_path) == tmp_path
