"""Every command that a page, a help text or a message names can be typed: it exists, with these options, and
what it names exists too. The quick ones are executed."""

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import variants
from bench import registry
from bench.cell import dataset_name
from bench.cli import app
from bench.data.catalogue import find
from bench.protocol import load_protocol
from bench.scoring.metric import listed_metrics
from bench.scoring.networks import network_names
from bench.studies.study import load_study

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / ".github").rglob("*.yml")),
]
SOURCES = sorted(
    path for room in ("bench", "reports", "variants", "baselines") for path in (ROOT / room).rglob("*.py")
)
STANDING_FOR = re.compile(r"[A-Z_]{2,}|\$.*")
"""A word that stands for another one: `RUN`, `$address`."""
FOLDERS = {"my-images"}
"""Folders of images that the pages make up."""
ROOT_COMMAND: Any = typer.main.get_command(app)
WRONG = typer.BadParameter.__mro__[1]
"""click's UsageError, in whichever package typer keeps click."""
OF_OTHERS = {
    "--force-reinstall",  # pip
    "--porcelain",  # git
    "--untracked-files",
    "--head",  # ray
    "--logdir",  # tensorboard
    "--ink",  # colours of the page
    "--rule",
    "--sans",
}
"""What begins like an option of ours in a text."""


def typed_in(text: str) -> Iterator[str]:
    """The commands of a page: a line each, continued lines joined, `&&` parted, comments left out."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    for line in lines:
        bare = re.sub(
            r"^\s*(- run: |# |srun |\.venv/bin/|\$\(BIN\)/)?(uv run --no-sync )?(\.venv/bin/)?", "", line
        )
        if re.match(r"bench [a-z]+( |$)", bare) and not bare.endswith("."):
            yield from (
                part.strip() for part in re.split(r"&&|&$", bare) if part.strip().startswith("bench ")
            )
        else:
            yield from re.findall(r"`(bench [^`]+)`", line)


def documented() -> list[tuple[str, str]]:
    """(where it stands, command) of every page and of every help text, each command once."""
    found: dict[str, str] = {}
    for page in PAGES:
        for command in typed_in(page.read_text(encoding="utf-8")):
            found.setdefault(command, str(page.relative_to(ROOT)))
    for name, command in every_command(ROOT_COMMAND):
        for example in typed_in((command.help or "").replace("Example: ", "\n").replace("\b", "")):
            found.setdefault(example, f"bench {name} --help")
    return [(where, command) for command, where in found.items()]


def every_command(group: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with its name, groups included."""
    yield name, group
    for inner, command in getattr(group, "commands", {}).items():
        yield from every_command(command, f"{name} {inner}".strip())


def parsed(words: list[str]) -> tuple[str, dict[str, Any]]:
    """The name of the command and the values of its options, as the command line reads them."""
    command, names = ROOT_COMMAND, list[str]()
    context = command.context_class(command, info_name="bench")
    while getattr(command, "commands", None):
        if not words or words[0] not in command.commands:
            raise WRONG(f"no such command: bench {' '.join([*names, *words[:1]])}")
        names.append(words[0])
        command, words = command.commands[words[0]], words[1:]
    return " ".join(names), command.make_context(names[-1], list(words), parent=context).params


def check(name: str, given: dict[str, Any], files: dict[str, Path]) -> None:
    """Raise what the command would raise for a name of something that is not there.

    `files` are those that a page shows, by name: what they register is there.
    """

    def each(key: str) -> Iterator[str]:
        value = given.get(key)
        for one in value if isinstance(value, list | tuple) else [value]:
            if one is not None and not STANDING_FOR.fullmatch(str(one)):
                yield str(one)

    registry.load_plugins([*files.values(), *(ROOT / file for file in each("plugin") if file not in files)])
    for variant in each("variant"):
        if not {"*", "|", "$"} & set(variant):
            variants.canonical(variant)
    for protocol in each("protocol"):
        if name != "compare":
            load_protocol(protocol, tuple(one for one in each("change") if "$" not in one))
    for dataset in each("dataset"):
        if "/" not in dataset and dataset not in FOLDERS and name in ("run", "study"):
            find(dataset_name(dataset))
    for study in each("study"):
        if "$" in study:
            continue
        if not study.endswith(".toml") or (ROOT / study).is_file():
            load_study(str(ROOT / study) if study.endswith(".toml") else study)
        else:
            assert study in {"STUDY.toml", "mine.toml", "iterations.toml", "smoke.toml", "faster.toml"}, (
                f"there is no {study}"
            )
    known = {row["key"] for row in listed_metrics(("tiny", *network_names()))}
    for key in each("metric"):
        assert key in known or f"{key}(tiny)" in known, f"there is no metric {key}"


def snippets(folder: Path) -> dict[str, Path]:
    """The files that docs/extending.md shows, each under the name in its first line."""
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    found = {}
    for name, code in re.findall(r"```python\n# (\S+)\n(.*?)```", page, flags=re.S):
        found[name] = folder / name
        found[name].write_text(code, encoding="utf-8")
    return found


@pytest.mark.parametrize(("where", "command"), documented(), ids=lambda value: value)
def test_a_documented_command_can_be_typed(where: str, command: str, tmp_path: Path) -> None:
    words = shlex.split(command, comments=True)[1:]
    words = [word for word in words if word != "$metrics" and not word.startswith(">")]
    if ">" in command:
        words = words[: words.index("--json") + 1]
    if " ".join(words) in dict(every_command(ROOT_COMMAND)):
        return  # a sentence names a command, or a group of them, without its arguments
    check(*parsed(words), snippets(tmp_path))


QUICK = [
    "bench check one-mask --plugin docs/example_variant.py",
    "bench list variants",
    "bench list runs --status failed --variant 'slot*'",
    "bench run --variant 'one-mask[sharpness=4]' --plugin docs/example_variant.py",
]


@pytest.mark.parametrize("command", QUICK)
def test_quick_documented_commands_do_what_the_page_says(command: str, tmp_path: Path) -> None:
    assert command in [each for _, each in documented()]
    words = shlex.split(command)[1:]
    if words[0] == "run":
        words += ["--dry-run", "--runs", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout or "There are no runs" in done.stderr


def said_in(path: Path) -> Iterator[str]:
    """The texts of a module, `X` in place of what is put into them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


def advised() -> list[tuple[str, str, tuple[str, ...]]]:
    """(module, command, options) of every command in a message of ours."""
    names = sorted((name for name, _ in every_command(ROOT_COMMAND) if name), key=len, reverse=True)
    found = set()
    for path in SOURCES:
        for text in said_in(path):
            for tail in re.findall(rf"\bbench ((?:{'|'.join(names)})\b[^.;:,()\n]*)", text):
                name = next(each for each in names if tail.startswith(each))
                options = tuple(re.findall(r"(?<!\S)--[a-z][a-z-]*", tail))
                found.add((str(path.relative_to(ROOT)), name, options))
    return sorted(found)


def test_every_command_that_a_message_advises_exists_with_its_options() -> None:
    commands = dict(every_command(ROOT_COMMAND))
    everywhere = {option for each in commands.values() for one in each.params for option in one.opts}
    wrong = [
        (path, name, option)
        for path, name, options in advised()
        for option in options
        if option not in {known for one in commands[name].params for known in one.opts} | {"--help"}
    ]
    assert wrong == []
    assert len(advised()) > 20
    unknown = {
        (str(path.relative_to(ROOT)), option)
        for path in SOURCES
        for text in said_in(path)
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)
        if option not in everywhere | OF_OTHERS | {"--help"}
    }
    assert unknown == set()


def test_what_is_put_into_a_command_is_quoted_for_a_shell() -> None:
    """By `bench.names.command` or shlex, never pasted into a text."""
    names = "|".join(sorted((name for name, _ in every_command(ROOT_COMMAND) if name), key=len, reverse=True))
    pasted = [
        (str(path.relative_to(ROOT)), text)
        for path in SOURCES
        for text in said_in(path)
        if re.search(rf"\bbench ({names})( [\w-]+)*( X|X)\b", text)
    ]
    assert pasted == []
