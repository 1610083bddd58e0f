"""The list of pictures: entries are added, replaced by kind or by identity, and a damaged list is told."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.errors import BenchError
from bench.runs.folder import RunFolder
from bench.runs.pictures import add_entries, read_entries, replace_entries, sample_indices, write_pictures


@given(images=st.integers(1, 400), samples=st.integers(1, 20))
def test_samples_are_distinct_places_in_order_from_the_first(images: int, samples: int) -> None:
    places = sample_indices(images, samples)
    assert len(places) == min(images, samples)
    assert places == sorted(set(places))
    assert places[0] == 0
    assert places[-1] < images


def test_pictures_are_read_as_they_were_written(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    colour = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    write_pictures(folder, "samples/final/A2B/00", {"output": colour, "mask-0": colour[..., 0]})
    for name, expected in (("output", colour), ("mask-0", colour[..., 0])):
        read = np.asarray(Image.open(tmp_path / "samples" / "final" / "A2B" / "00" / f"{name}.png"))
        assert np.array_equal(read, expected)


def test_an_entry_of_the_same_picture_is_replaced(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    add_entries(folder, [{"kind": "progress", "file": "a.png", "step": 1, "folder": "x"}])
    add_entries(folder, [{"kind": "progress", "file": "a.png", "step": 1, "folder": "y"}])
    add_entries(folder, [{"kind": "progress", "file": "a.png", "step": 2, "folder": "z"}])
    assert [entry["folder"] for entry in read_entries(folder)] == ["y", "z"]


def test_all_entries_of_a_kind_are_replaced_and_others_kept(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    add_entries(folder, [{"kind": "progress", "file": "a.png"}, {"kind": "extreme", "file": "a.png"}])
    replace_entries(folder, ["extreme", "final"], [{"kind": "extreme", "file": "b.png"}])
    found = [(entry["kind"], entry["file"]) for entry in read_entries(folder)]
    assert found == [("progress", "a.png"), ("extreme", "b.png")]


def test_there_are_no_entries_before_the_first(tmp_path: Path) -> None:
    assert read_entries(RunFolder(tmp_path)) == []


def test_a_damaged_list_is_told(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.samples.mkdir()
    (folder.samples / "index.json").write_text("[{")
    with pytest.raises(BenchError, match="is damaged"):
        read_entries(folder)
