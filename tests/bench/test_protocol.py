"""Protocols: frozen, validated, named by their changes; the hash covers every rule and nothing else."""

import json
import math
import os
import typing
from importlib import resources
from pathlib import Path
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from bench.errors import UsageError
from bench.profiling.model import ProfileRequest
from bench.protocol import (
    AbsentWhenOff,
    ImageSettings,
    Protocol,
    ScoreSettings,
    Settings,
    TrainSettings,
    content_hash,
    load_protocol,
    protocol_names,
    schedule_hash,
    shipped_namesake,
)
from bench.studies.process import MESSAGE, Order, Outcome
from bench.studies.study import load_study
from bench.training.schedule import Schedule


@pytest.mark.parametrize("name", protocol_names())
def test_every_shipped_protocol_is_valid_and_says_what_it_is_for(name: str) -> None:
    protocol = load_protocol(name)
    assert protocol.name == name
    assert len(protocol.summary) > 20


def test_the_shipped_protocols_are_those_of_the_design() -> None:
    assert protocol_names() == [
        *("attentiongan-release", "fast", "paper-128", "paper-256", "paper-256-150", "small", "smoke")
    ]


def test_attentiongan_release_is_the_schedule_of_the_released_script() -> None:
    protocol = load_protocol("attentiongan-release")
    images, train = protocol.images, protocol.train
    assert (images.size, images.load_size, images.flip, images.pairing) == (256, 286, True, "random")
    assert (train.epochs, train.constant_share, train.batch) == (60, 1.0, 4)
    assert (train.learning_rate, train.betas, train.pool) == (2e-4, (0.5, 0.999), 50)
    assert (train.objective, train.cycle_weight, train.identity_weight) == ("lsgan", 10.0, 5.0)
    assert protocol.images_to_see(1067, 1334) == 60 * 1334


def test_attentiongan_release_never_lowers_its_learning_rate() -> None:
    protocol = load_protocol("attentiongan-release")
    schedule = Schedule(protocol.images_to_see(10, 10), protocol.train)
    assert {schedule.learning_rate(step) for step in range(1, schedule.steps + 1)} == {2e-4}


def test_a_protocol_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_protocol("smoke").name = "other"  # type: ignore[misc]


def test_a_change_is_part_of_the_name_and_of_the_hash() -> None:
    changed = load_protocol("smoke", ("train.images_seen=2000",))
    assert changed.name == "smoke[train.images_seen=2000]"
    assert changed.train.images_seen == 2000
    assert changed.hash() != load_protocol("smoke").hash()


@pytest.mark.parametrize("change", ["score.features=tiny", "train.images_seen=200", "train.batch=1"])
def test_a_change_to_what_a_rule_says_already_is_none(change: str) -> None:
    assert load_protocol("smoke", (change,)) == load_protocol("smoke")
    both = load_protocol("smoke", (change, "images.size=48"))
    assert both.name == "smoke[images.size=48]"


def test_changes_in_another_order_are_the_same_protocol() -> None:
    changes = ("train.batch=2", "images.size=32")
    assert load_protocol("smoke", changes) == load_protocol("smoke", changes[::-1])


def test_name_and_summary_are_not_rules(tmp_path: Path) -> None:
    text = "[images]\nsize = 32\nload_size = 32\n[train]\nimages_seen = 4\n[score]\n"
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text(f'summary = "one"\n{text}')
    second.write_text(f'summary = "two"\n{text}')
    assert load_protocol(str(first)).hash() == load_protocol(str(second)).hash()


def test_a_file_that_takes_the_name_of_a_shipped_protocol_is_told_unless_its_rules_are_the_same(
    tmp_path: Path,
) -> None:
    text = "[images]\nsize = 32\nload_size = 32\n[train]\nimages_seen = 4\n[score]\n"
    own, named, mine, same = (tmp_path / f"{name}.toml" for name in ("small", "other", "mine", "smoke"))
    own.write_text(text)
    named.write_text(f'name = "small"\n{text}')
    mine.write_text(text)
    same.write_text((resources.files("bench") / "protocols" / "smoke.toml").read_text())

    def said(name: object, *changes: str) -> str | None:
        return shipped_namesake(str(name), changes, load_protocol(str(name), changes))

    assert "is called small, as a shipped protocol of other rules" in str(said(own, "train.batch=2"))
    assert "Rename the file" in str(said(named))
    assert [said(mine), said(same, "train.batch=2"), said("small")] == [None, None, None]


@pytest.mark.parametrize(
    "change",
    ["images.size=48", "images.flip=false", "train.batch=2", "train.cycle_weight=9.0", "train.pool=0",
     "score.features=squeezenet", "model.width=8", "train.precision=bf16"],
)  # fmt: skip
def test_every_rule_changes_the_hash(change: str) -> None:
    assert load_protocol("smoke", (change,)).hash() != load_protocol("smoke").hash()


def test_the_schedule_hash_covers_protocol_data_and_seed() -> None:
    smoke, small = load_protocol("smoke"), load_protocol("small")
    hashes = {schedule_hash(smoke, "d", 0), schedule_hash(small, "d", 0), schedule_hash(smoke, "e", 0)}
    assert len(hashes | {schedule_hash(smoke, "d", 1)}) == 4


HASHES = {
    "attentiongan-release": ("7b8482491737ab57", "4d77cf7a048e1b3c"),
    "fast": ("a0897c1306d67ada", "6beb8f1ae205f283"),
    "paper-128": ("cdb618de3c58f7d8", "64e225aaf187c1d7"),
    "paper-256": ("ec27359d9ec22991", "19f2b6f7fe9f11bb"),
    "paper-256-150": ("a76535da90c550e9", "2318b277abddd1f6"),
    "small": ("5f3674d400047b32", "caf4bf328a5d06b5"),
    "smoke": ("07230f1b2156b919", "638770c696faa70f"),
}
"""Of a protocol, and of its schedule on data of fingerprint ff...f with seed 0, in the committed records."""


@pytest.mark.parametrize("name", HASHES)
def test_runs_recorded_before_a_rule_existed_are_runs_of_the_same_protocol(name: str) -> None:
    protocol = load_protocol(name)
    assert (protocol.hash(), schedule_hash(protocol, "f" * 64, 0)) == HASHES[name]


def test_the_protocol_of_the_committed_studies_has_the_hash_of_their_records() -> None:
    changes = ("score.features=squeezenet", "train.precision=bf16")
    assert load_protocol("small", changes).hash() == "205a7568d20a0f24"


class Later(Settings):
    """Settings to which rules were added."""

    width: int = 4
    speed: Annotated[float | None, Field(gt=0), AbsentWhenOff()] = None
    share: Annotated[float, AbsentWhenOff()] = 0.5


@given(width=st.integers(), speed=st.none() | st.floats(0.1, 9), share=st.sampled_from([0.25, 0.5]))
def test_a_later_rule_is_in_a_record_exactly_where_it_is_on(
    width: int, speed: float | None, share: float
) -> None:
    settings = Later(width=width, speed=speed, share=share)
    recorded = settings.model_dump(mode="json")
    assert set(recorded) == {"width"} | ({"speed"} if speed is not None else set()) | (
        {"share"} if share != 0.5 else set()
    )
    assert Later.model_validate(recorded) == Later.model_validate_json(json.dumps(recorded)) == settings
    if speed is None and share == 0.5:
        assert content_hash(recorded) == content_hash({"width": width})


def test_off_is_spelled_off() -> None:
    assert Later(speed="off") == Later()  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        Later(width="off")  # type: ignore[arg-type]


def test_a_recorded_protocol_reads_as_itself() -> None:
    for name in protocol_names():
        protocol = load_protocol(name)
        assert Protocol.model_validate(protocol.model_dump(mode="json")) == protocol


@given(a=st.integers(1, 5000), b=st.integers(1, 5000))
def test_epochs_become_images_by_the_rule_of_the_pairing(a: int, b: int) -> None:
    random_pairs = load_protocol("paper-256")
    fixed_pairs = load_protocol("paper-128")
    assert random_pairs.images_to_see(a, b) == 200 * max(a, b)
    assert fixed_pairs.images_to_see(a, b) == 200 * min(a, b)


def test_setting_images_seen_replaces_epochs() -> None:
    protocol = load_protocol("paper-256", ("train.images_seen=10",))
    assert protocol.train.epochs is None
    assert protocol.images_to_see(1000, 1000) == 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("images.size=100", "size must be a multiple of 16; the nearest are 96 and 112"),
        ("images.size=80", r"load_size \(72\) must be at least size \(80\)"),
        ("train.batch=0", "train.batch = 0: Input should be greater than 0"),
        ("train.batch=two", "train.batch = 'two': Input should be a valid integer"),
        ("train.objective=5", "train.objective = 5: Input should be a valid string"),
        ("train.wings=2", "train.wings: there is no such key. Keys: epochs, images_seen, batch"),
        ("train.learning_rate=-1.0", "greater than 0"),
        ("wings=2", "Write table.key=value"),
        ("flight.wings=2", "a table of images, train, score or model"),
        ("train.batch", "Write table.key=value"),
    ],
)
def test_a_bad_change_is_refused_with_the_remedy(change: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_protocol("smoke", (change,))


def test_an_unknown_protocol_is_answered_with_close_names() -> None:
    with pytest.raises(UsageError, match=r"Unknown protocol 'smok'. Did you mean 'smoke'"):
        load_protocol("smok")


def test_a_protocol_file_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("colour = 1\n[images]\nsize = 32\nload_size = 32\n[train]\nimages_seen = 4\n[score]\n")
    with pytest.raises(UsageError, match=r"colour: there is no such key. Keys: name, summary, images"):
        load_protocol(str(file))


@pytest.mark.parametrize(
    ("content", "message"), [(b"[images", "not readable TOML"), (b"\xff\xfe", "not readable TOML")]
)
def test_an_unreadable_protocol_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        load_protocol(str(file))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("[imagse]\nsize = 32\n[train]\n[score]\n", "imagse: there is no such key. Did you mean 'images'?"),
        ("images = [1]\n[train]\n[score]\n", "images = [1]: give a table: a line [images] above its keys"),
        ("[images]\n[train]\n[score]\n", "images.size: this is missing"),
        ("[train]\nbetas = 0.5\n[images]\n[score]\n", "images.size: this is missing"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_in_its_own_words_and_unknown_keys_first(
    tmp_path: Path, text: str, first: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as error:
        load_protocol(str(file))
    _, line, *others = str(error.value).splitlines()
    assert first in line
    assert "Did you mean" not in "".join(others)
    assert not any(word in str(error.value) for word in ("tuple", "instance", "dictionary", "Field"))
    assert len(set(others)) == len(others)


def test_a_long_value_is_shortened_in_an_error() -> None:
    with pytest.raises(UsageError, match=r"train\.betas = 'x{59}\.\.\.: give a list, as in \[1, 2\]"):
        load_protocol("smoke", (f"train.betas={'x' * 300}",))


def test_what_is_there_and_is_no_protocol_file_is_called_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    for name, told in (("folder.toml", "is a folder"), ("pipe.toml", "is a pipe")):
        for read in (load_protocol, load_study):
            with pytest.raises(UsageError, match=f"{name} {told}"):
                read(str(tmp_path / name))


def test_a_missing_protocol_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no protocol file"):
        load_protocol(str(tmp_path / "mine.toml"))


def test_both_lengths_or_none_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[images]\nsize = 32\nload_size = 32\n[train]\n[score]\n")
    with pytest.raises(UsageError, match="give exactly one of epochs and images_seen"):
        load_protocol(str(file))


def test_many_changes_are_named_by_a_hash_that_fits_a_folder() -> None:
    changes = tuple(f"model.layer{number}=8" for number in range(2, 40))
    names = {load_protocol("smoke", changes).name, load_protocol("smoke", changes[:-1]).name}
    assert len(names) == 2
    assert all(len(name) < 60 and "changes, " in name for name in names)


def numbers() -> list[str]:
    """Every key of a protocol's tables that takes numbers, as `train.batch`."""
    tables = {"images": ImageSettings, "train": TrainSettings, "score": ScoreSettings}
    return [
        f"{table}.{name}"
        for table, model in tables.items()
        for name, field in model.model_fields.items()
        if {int, float} & set(types_in(field.annotation))
    ]


def types_in(annotation: object) -> list[object]:
    """The types that an annotation is made of."""
    inner = typing.get_args(annotation)
    return [annotation] if not inner else [each for part in inner for each in types_in(part)]


@pytest.mark.parametrize("key", numbers())
@pytest.mark.parametrize("value", ["-1", "-0.5", "inf", "-inf", "nan", "10" + "0" * 40, "1e40"])
def test_numbers_that_no_training_can_have_are_refused_at_once(key: str, value: str) -> None:
    spelled = f"[{value}, {value}]" if key == "train.betas" else value
    with pytest.raises(UsageError, match=key.replace(".", r"\.")):
        load_protocol("smoke", (f"{key}={spelled}",))


@given(first=st.floats(), second=st.floats())
def test_betas_are_taken_in_their_range_and_nowhere_else(first: float, second: float) -> None:
    change = (f"train.betas=[{float_in_toml(first)}, {float_in_toml(second)}]",)
    if all(0 <= beta < 1 for beta in (first, second)):
        assert load_protocol("smoke", change).train.betas == (first, second)
        return
    with pytest.raises(UsageError, match=r"train\.betas.*(less than 1|greater than or equal to 0|finite)"):
        load_protocol("smoke", change)


def float_in_toml(value: float) -> str:
    """A float as TOML writes it."""
    return str(value) if not math.isfinite(value) or "e" in str(value) else f"{value!r}"


@pytest.mark.parametrize("value", ["inf", "nan", "[1]", "{a = 1}", "2020-01-01"])
def test_a_parameter_of_the_model_is_a_simple_value(value: str) -> None:
    with pytest.raises(UsageError, match=r"model\.width = .*: give a whole number, a finite number, a word"):
        load_protocol("smoke", (f"model.width={value}",))


RULES = "[images]\nsize = 32\nload_size = 32\n[train]\nimages_seen = 4\n[score]\n"


def test_a_protocol_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(RULES, encoding="utf-8")
    plain = load_protocol(str(file))
    file.write_bytes(b"\xef\xbb\xbf" + RULES.replace("\n", "\r\n").encode())
    assert load_protocol(str(file)) == plain


@pytest.mark.parametrize("table", ["images", "train", "score", "model"])
@pytest.mark.parametrize("wrong", ["5", '"words"', "[1, 2]", "true"])
def test_a_value_where_a_table_belongs_is_named_also_when_a_key_is_set_in_it(
    tmp_path: Path, table: str, wrong: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f"{table} = {wrong}\n")
    with pytest.raises(UsageError, match=rf"{table} = .* is no table.*Write \[{table}\]"):
        load_protocol(str(file), (f"{table}.size=64",))
    with pytest.raises(UsageError, match=f"{table} = "):
        load_protocol(str(file))


@pytest.mark.parametrize(
    "changes",
    [
        ("train.images_seen=2", "train.images_seen=4"),
        ("train.images_seen=2", "train.images_seen=2"),
        ("train.epochs=1", "train.images_seen=4"),
        ("score.features=tiny", "train.batch=2", "score.features = inception"),
    ],
)
def test_a_rule_that_is_set_twice_is_refused(changes: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="set the same rule"):
        load_protocol("smoke", changes)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../../evil", "no path"),
        ("/tmp/evil", "no path"),
        ("a\\\\b", "no path"),
        ("..", "no path"),
        (".", "no path"),
        ("", "empty"),
        ("  ", "empty"),
        ("two\\nlines", "line"),
        (".hidden", "hidden"),
        ("n" * 256, "256 bytes"),
        ("ü" * 128, "256 bytes"),
    ],
)
def test_a_protocols_name_is_that_of_one_folder(tmp_path: Path, name: str, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'name = "{name}"\n{RULES}', encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        load_protocol(str(file))


@pytest.mark.parametrize("name", ["a b", "50%", "#1", "l'été", 'say "hi"', "x" * 246, "[a]", "-x", "$HOME"])
def test_other_signs_in_a_protocols_name_are_kept(tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.toml"
    file.write_text(RULES)
    assert load_protocol(str(file)).name == name


@pytest.mark.parametrize("word", ["../../x", "a/b", "a\\b", "a,train.batch=2", "a, model.width=3", "a\nb"])
def test_a_change_that_a_folder_cannot_be_called_by_is_named_by_a_hash(word: str) -> None:
    changed = load_protocol("smoke", (f"score.features={word}",))
    assert changed.score.features == word
    assert changed.name == f"smoke[1 change, {changed.name[-17:-1]}]"
    assert changed.name != load_protocol("smoke", (f"score.features={word}x",)).name


@given(st.text(), st.text())
def test_protocols_of_different_rules_have_different_names(a: str, b: str) -> None:
    protocols = [load_protocol("smoke", (f"score.features='{a}'", f"model.kind='{b}'"))]
    protocols += [load_protocol("smoke", (f"score.features='{a}',model.kind='{b}'",))]
    names = {protocol.name for protocol in protocols}
    assert len(names) == len({protocol.hash() for protocol in protocols})


def test_what_processes_tell_each_other_is_read_as_it_was_written() -> None:
    changed = load_protocol("smoke", ("train.betas=[0.4, 0.9]",))
    order = Order(protocol=changed, dataset="toy-stripes", variant="slot9", seed=0, runs=Path("runs"))
    for sent in (
        order,
        order.model_copy(update={"plugins": (Path("mine.py"),), "weights": Path("file.pth")}),
        ProfileRequest(
            variant="slot9", protocol=changed, device="cpu", threads=1, steps=2, plugins=(Path("a.py"),)
        ),
    ):
        assert type(sent).model_validate_json(sent.model_dump_json()) == sent
    outcome = Outcome(outcome="failed", reason="why")
    assert MESSAGE.validate_json(outcome.model_dump_json()) == outcome
