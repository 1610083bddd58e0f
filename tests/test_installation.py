"""What `pip install -e .` leaves: an import that finds the package from any folder."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("bench", "variants", "baselines", "reports")
BUILD = "from setuptools import build_meta; build_meta.build_editable({!r})"


def test_the_folder_that_holds_the_clone_imports_the_package_not_the_clone(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    clone, site = tmp_path / "bench", tmp_path / "site"
    for package in PACKAGES:
        (clone / package).mkdir(parents=True)
        (clone / package / "__init__.py").touch()
    (clone / "bench" / "__init__.py").write_text("run = 'found'\n")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (clone / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-c", BUILD.format(str(tmp_path))], cwd=clone, check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    code = f"import site; site.addsitedir({str(site)!r}); import bench; print(bench.run)"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("found\n", "")
