"""The protocol: everything that must be equal between variants, as one frozen, validated TOML file."""

import copy
import hashlib
import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from bench.errors import UsageError, in_short, in_toml
from bench.names import UNFIT_FOR_A_FOLDER, counted, folder_name, meant, unknown_name

AUGMENTATIONS = ("colour", "translation", "cutout")
"""What `train.diffaugment` may name, in the order of application."""
LONGEST_NAME = 160
"""Bytes of a changed protocol's name; file systems take folder names of at most 255."""
LENGTHS = frozenset({"train.epochs", "train.images_seen"})
"""The keys of which exactly one says how long a training is."""
TABLES = ("images", "train", "score", "model")
SIMPLE_VALUES = "a whole number, a finite number, a word, true or false"

# Bounds that no sensible rule comes near: beyond them stands a slip of the pen, not a choice.
Positive = Annotated[int, Field(gt=0, le=10**9)]
Count = Annotated[int, Field(ge=0, le=10**9)]
Pixels = Annotated[int, Field(gt=0, le=2**14)]
Width = Annotated[int, Field(gt=0, le=2**13)]
Weight = Annotated[float, Field(ge=0, le=10**6)]
Decay = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True)
class AbsentWhenOff:
    """Marks a rule that came later: `Annotated[float | None, AbsentWhenOff()] = None`.

    Its default is its off value. There it is absent from every dump, and so from hashes, records and what is
    compared of them: a protocol that does not use the rule is the protocol of before it existed. A missing
    key reads as off; where it may be None, so does the word `off`.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Of the field alone: a validator of the whole model would read its JSON as strictly as Python."""
        schema = handler(source)
        if type(None) not in get_args(source):
            return schema
        return no_info_before_validator_function(lambda value: None if value == OFF else value, schema)


OFF = "off"


class Settings(BaseModel):
    """Frozen; an unknown key is an error, and so is a value of the wrong type, NaN or an infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def rules_absent_when_off(cls) -> dict[str, Any]:
        """Name -> off value of the rules marked so."""
        fields = cls.model_fields.items()
        return {name: field.default for name, field in fields if AbsentWhenOff() in field.metadata}

    @model_serializer(mode="wrap")
    def _without_rules_that_are_off(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        off = self.rules_absent_when_off()
        return {
            name: value
            for name, value in dump(self).items()
            if not (name in off and getattr(self, name) == off[name])
        }


class ImageSettings(Settings):
    """Which images a run is fed, and how they are resized, cropped and paired."""

    size: Pixels
    """Height and width of the network's input in pixels, a multiple of 16."""
    load_size: Pixels
    """Training images are resized to this (bicubic) and cropped to `size` at random."""
    flip: bool = True
    """Mirror training images at random, left to right."""
    pairing: Literal["random", "fixed"] = "random"
    """`random`: A shuffled each epoch, B drawn at random, an epoch is max(nA, nB) images.
    `fixed`: the i-th of A with the i-th of B, an epoch is min(nA, nB) (the unofficial AttentionGAN)."""
    per_domain: Positive | None = None
    """Training images of each domain that are trained on, the first by file name of those not held out;
    where the set has fewer than per_domain + validation, what is left is trained on. None: all."""
    validation: Count = 0
    """Training images of each domain held out to choose a checkpoint, never trained on: those whose SHA-256
    comes first, the same for every seed; identical copies of them leave training too."""
    test: Positive | None = None
    """Test images used of each domain, the first ones in file-name order; None: all."""

    @model_validator(mode="after")
    def _sizes_fit(self) -> "ImageSettings":
        if self.size % 16:
            lower = max(16, self.size - self.size % 16)
            raise ValueError(f"size must be a multiple of 16; the nearest are {lower} and {lower + 16}")
        if self.load_size < self.size:
            raise ValueError(f"load_size ({self.load_size}) must be at least size ({self.size})")
        return self


class TrainSettings(Settings):
    """How long, with which objective and which optimiser."""

    epochs: Positive | None = None
    images_seen: Positive | None = None
    """Images of each domain fed to the networks; give either this or `epochs`."""
    batch: Annotated[int, Field(gt=0, le=2**12)] = 1
    objective: str = "lsgan"
    """Name of the losses and of their step: see `bench list objectives`."""
    cycle_weight: Weight = 10.0
    identity_weight: Weight = 5.0
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 2e-4
    betas: tuple[Decay, Decay] = (0.5, 0.999)
    constant_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the training at the full learning rate; the rest falls linearly to 0."""
    pool: Count = 50
    """Images kept in each domain's pool of earlier translations (Shrivastava et al. 2017); 0: no pool."""
    discriminator_width: Width = 64
    precision: Literal["fp32", "bf16"] = "fp32"
    log_every: Positive = 10
    """Steps between two rows of losses.csv."""
    validations: Positive = 4
    """Times the validation split is scored, evenly over the training, the last step included."""
    ema_half_life: Annotated[float | None, Field(le=10**9), AbsentWhenOff()] = None
    """Images after which a weight's share in the exponential moving average of the generators has halved
    (Karras et al. 2020, "Training GANs with limited data", appendix). Every score, validation and kept
    generator is of the averaged weights, running statistics averaged too. Off: of the trained ones."""
    ema_ramp_up: Annotated[float, Field(le=10**6), AbsentWhenOff()] = 0.05
    """At first the half-life is this share of the images seen so far (the same source), so that the initial
    weights are soon forgotten."""
    diffaugment: Annotated[str | None, AbsentWhenOff()] = None
    """How images are changed at random before a discriminator sees them, real and translated ones alike,
    with gradients (Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training"): of
    `colour`, `translation` and `cutout` those joined by '-'. Off: not at all."""
    discriminator_learning_rate: Annotated[float | None, Field(le=10), AbsentWhenOff()] = None
    """Learning rate of the discriminators (Heusel et al. 2017, two time scales), falling as the generators'
    does. Off: the generators'."""
    identity_fade: Annotated[float | None, AbsentWhenOff()] = None
    """Share of the training over which the identity weight falls linearly to 0; from there the loss is not
    computed (Kaneko and Kameoka 2017, CycleGAN-VC, drop it after the first tenth thousand). Off: constant."""

    @model_validator(mode="before")
    @classmethod
    def _lists_are_tuples(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("betas"), list):
            return values | {"betas": tuple(values["betas"])}
        return values

    @field_validator("ema_half_life", "ema_ramp_up", "discriminator_learning_rate", "identity_fade")
    @classmethod
    def _above_zero(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and value <= 0:
            raise ValueError(f"must be above 0; leave {info.field_name} out to do without")
        return value

    @field_validator("identity_fade")
    @classmethod
    def _a_share(cls, value: float | None) -> float | None:
        if value is not None and value > 1:
            raise ValueError("is a share of the training: at most 1, which fades until its end")
        return value

    @field_validator("diffaugment")
    @classmethod
    def _known_augmentations(cls, value: str | None) -> str | None:
        """In the order of application, so that one set of them is one rule."""
        kinds = value.split("-") if value is not None else []
        unknown = [kind for kind in kinds if kind not in AUGMENTATIONS]
        if unknown or len(set(kinds)) < len(kinds):
            raise ValueError(
                f"takes each of {', '.join(AUGMENTATIONS)} at most once, joined by '-', as in "
                f"{'-'.join(AUGMENTATIONS)}; leave it out to do without"
            )
        return "-".join(sorted(kinds, key=AUGMENTATIONS.index)) or None

    @model_validator(mode="after")
    def _one_length(self) -> "TrainSettings":
        if (self.epochs is None) == (self.images_seen is None):
            raise ValueError("give exactly one of epochs and images_seen")
        return self

    @model_validator(mode="after")
    def _rules_have_an_object(self) -> "TrainSettings":
        if self.identity_fade is not None and self.identity_weight == 0:
            raise ValueError(
                "train.identity_fade fades the weight of the identity loss, and train.identity_weight is 0: "
                "give it a weight, or leave identity_fade out"
            )
        if self.ema_half_life is None and "ema_ramp_up" in self.model_dump():
            raise ValueError(
                "train.ema_ramp_up is that of a moving average, and there is none: give train.ema_half_life "
                "in images, or leave ema_ramp_up out"
            )
        return self


class ScoreSettings(Settings):
    """How a finished run is measured."""

    features: str = "inception"
    """Name of the feature network; distances are called FID and KID for `inception` alone."""
    kid_subset_size: Annotated[int, Field(ge=2, le=10**6)] = 50
    samples: Annotated[int, Field(gt=0, le=1000)] = 6
    """Test images of each direction kept as pictures, the same for every variant."""
    noise_draws: Annotated[int, Field(gt=0, le=1000)] = 3
    """Draws of the slot noise over which the spread of the output is measured."""


class Protocol(Settings):
    """A named set of rules. Two runs under protocols of equal `hash()` were trained and scored alike."""

    name: str
    summary: str
    images: ImageSettings
    train: TrainSettings
    score: ScoreSettings
    model: dict[str, int | float | str | bool] = {}
    """Generator parameters (width, blocks, ...) given to every variant that has a parameter of that name."""

    def hash(self) -> str:
        """16 hex digits over every rule; the name and the summary are not rules."""
        rules = self.model_dump(mode="json", exclude={"name", "summary"})
        return content_hash(rules)

    def images_to_see(self, train_images_A: int, train_images_B: int) -> int:
        """Images of each domain fed in the whole training: epochs are turned into images here."""
        if self.train.images_seen is not None:
            return self.train.images_seen
        assert self.train.epochs is not None  # exactly one is given
        longest = self.images.pairing == "random"
        epoch = max(train_images_A, train_images_B) if longest else min(train_images_A, train_images_B)
        return self.train.epochs * epoch


def content_hash(value: Any) -> str:
    """16 hex digits of the SHA-256 of a JSON value, independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def schedule_hash(protocol: Protocol, data_fingerprint: str, seed: int) -> str:
    """16 hex digits that name a schedule: protocol, data and seed, but never the variant."""
    return content_hash({"protocol": protocol.hash(), "data": data_fingerprint, "seed": seed})


def protocol_names() -> list[str]:
    """The protocols that ship with bench."""
    folder = resources.files("bench") / "protocols"
    return sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_protocol(name_or_file: str, changes: tuple[str, ...] = ()) -> Protocol:
    """A shipped protocol by name or anybody's by file, with `changes` such as `train.images_seen=2000`.

    A changed protocol is another protocol: the changes become part of its name, as in
    `smoke[train.images_seen=2000]`. One that says what the protocol says already changes nothing. Raises
    UsageError for an unknown name, key or value, for a key that is set twice, and for a name that cannot be
    that of a folder.
    """
    rules = _read_rules(name_or_file)
    _refuse_twice(changes)
    protocol = _changed(rules, changes, name_or_file)
    telling = tuple(each for each in changes if _matters(each, changes, protocol, rules, name_or_file))
    name = changed_name(protocol.name, telling) if telling else protocol.name
    return protocol.model_copy(update={"name": folder_name(f"protocol {name_or_file}", name)})


def _changed(rules: dict[str, Any], changes: Sequence[str], source: str) -> Protocol:
    """The protocol of `rules` with the changes, under its own name."""
    changed = copy.deepcopy(rules)
    for change in changes:
        _apply(changed, change, source)
    try:
        return Protocol.model_validate(changed)
    except ValidationError as error:
        raise UsageError(_explain(source, error)) from None


def _matters(
    change: str, changes: Sequence[str], protocol: Protocol, rules: dict[str, Any], source: str
) -> bool:
    """Whether the protocol would be another without one of its changes, or none at all."""
    try:
        return _changed(rules, [each for each in changes if each != change], source) != protocol
    except UsageError:
        return True


def shipped_namesake(name_or_file: str, changes: tuple[str, ...], protocol: Protocol) -> str | None:
    """In words where a file's protocol has other rules than the shipped one of its name; else None."""
    name = _read_rules(name_or_file)["name"]
    if name_or_file in protocol_names() or name not in protocol_names():
        return None
    try:
        if load_protocol(name, changes).hash() == protocol.hash():
            return None
    except UsageError:  # changes that its rules do not allow: they are not the file's
        pass
    return (
        f"{name_or_file} is called {name}, as a shipped protocol of other rules: their runs share "
        "folders, and tables tell them apart by their hashes alone. Rename the file, or the `name` in it"
    )


def changed_name(name: str, changes: tuple[str, ...]) -> str:
    """`smoke[train.images_seen=2000]`, the name of a folder.

    Many changes are named by a hash, and so are those that a folder cannot be called by (`/`) or that could
    be read as several (a word with a comma and the name of a table in it).
    """
    spelled = f"{name}[{','.join(sorted(changes))}]"
    clear = not any(UNFIT_FOR_A_FOLDER & set(change) or SEVERAL.search(change) for change in changes)
    if clear and len(spelled.encode(errors="surrogatepass")) <= LONGEST_NAME:
        return spelled
    return f"{name}[{counted(len(changes), 'change')}, {content_hash(sorted(changes))}]"


SEVERAL = re.compile(rf",\s*({'|'.join(TABLES)})\.")
"""What stands between two changes in a name."""


def _refuse_twice(changes: tuple[str, ...]) -> None:
    """Raise UsageError where two changes are of one rule; both lengths of a training are one rule."""
    seen: dict[str, str] = {}
    for change in changes:
        key = key_of(change)
        rule = "train.epochs" if key in LENGTHS else key
        if rule in seen:
            raise UsageError(f"{seen[rule]!r} and {change!r} set the same rule. Give one of them.")
        seen[rule] = change


def key_of(change: str) -> str:
    """The key, as `train.images_seen`, that a change sets."""
    return change.partition("=")[0].strip()


def _read_rules(name_or_file: str) -> dict[str, Any]:
    if name_or_file in protocol_names():
        text = (resources.files("bench") / "protocols" / f"{name_or_file}.toml").read_text(encoding="utf-8")
        return tomllib.loads(text) | {"name": name_or_file}
    path = Path(name_or_file)
    if path.suffix != ".toml":
        raise unknown_name(
            "protocol", name_or_file, protocol_names(), "bench list protocols, or give a .toml"
        )
    text = read_toml(path, "protocol", "Give an existing file or one of the shipped names.")
    try:
        return {"name": path.stem, "summary": ""} | tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not readable TOML: {error}") from None


def read_toml(path: Path, kind: str, remedy: str) -> str:
    """The text of a TOML file, UTF-8 with or without a byte-order mark.

    Raises UsageError for a file that is missing, cannot be read or is not UTF-8.
    """
    try:
        if path.is_dir():
            raise UsageError(f"{path} is a folder, not a {kind} file. {remedy}")
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is a pipe, socket or device, not a {kind} file. {remedy}")
        if not path.is_file():
            raise UsageError(f"There is no {kind} file {path}. {remedy}")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"Cannot read the {kind} file {path}: {error.strerror}. {remedy}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not readable TOML: {error}. Save it as UTF-8.") from None


def _apply(rules: dict[str, Any], change: str, source: str) -> None:
    """Set one rule, written `table.key=value` with the value in TOML; a bare word is a string."""
    _, separator, text = change.partition("=")
    table, _, name = key_of(change).partition(".")
    if not separator or not name or table not in TABLES:
        raise UsageError(
            f"Cannot set {change!r}. Write table.key=value with a table of images, train, score or model, "
            "for example --set train.images_seen=2000"
        )
    inside = rules.setdefault(table, {})
    if not isinstance(inside, dict):
        raise UsageError(
            f"Protocol {source}: {table} = {inside!r} is no table, so {change!r} has no place in it. Write "
            f"[{table}] above its keys."
        )
    inside[name] = value_in_toml(text)
    if key_of(change) in LENGTHS:
        other = "images_seen" if name == "epochs" else "epochs"
        rules["train"].pop(other, None)


def value_in_toml(text: str) -> Any:
    """What a text spells in TOML; the text itself where it spells nothing, or more than one value.

    >>> value_in_toml("5"), value_in_toml("true"), value_in_toml("local")
    (5, True, 'local')
    """
    try:
        read = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    return read["value"] if len(read) == 1 else text


def _explain(source: str, error: ValidationError) -> str:
    lines = [f"Protocol {source} is not valid:"]
    for problem in sorted(error.errors(), key=lambda each: each["type"] != "extra_forbidden"):
        where = ".".join(str(part) for part in problem["loc"]) or "protocol"
        if problem["loc"][:1] == ("model",) and len(problem["loc"]) > 1:
            # One problem for each type that it might have been.
            line = f"  model.{problem['loc'][1]} = {in_short(problem['input'])}: give {SIMPLE_VALUES}"
            lines += [] if line in lines else [line]
        elif problem["type"] == "extra_forbidden":
            lines.append(f"  {where}: there is no such key. {_keys_beside(problem['loc'])}")
        elif problem["type"] == "missing":
            lines.append(f"  {where}: {in_toml(problem)}")
        else:
            message = in_toml(problem)
            lines.append(
                f"  {where} = {in_short(problem['input'])}: {message}" if problem["loc"] else f"  {message}"
            )
    return "\n".join(dict.fromkeys(lines))


def _keys_beside(location: tuple[int | str, ...]) -> str:
    tables: dict[str, type[Settings]] = {
        "images": ImageSettings,
        "train": TrainSettings,
        "score": ScoreSettings,
    }
    model = tables.get(str(location[0]), Protocol) if len(location) > 1 else Protocol
    return keys_of(model, str(location[-1]))


def keys_of(model: type[BaseModel], given: str) -> str:
    """The keys of a table, the one that was meant first."""
    keys = f"Keys: {', '.join(model.model_fields)}"
    return f"{meant(given, model.model_fields, most=1)} {keys}".lstrip()
