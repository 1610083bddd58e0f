"""Names with parameters: read in any order, spelled in one way, refused with what was meant."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import variants
from variants import VariantError
from variants.registry.parameters import AtLeast, Length, Parameter, parameter, spell


def test_a_name_alone_is_its_own_canonical_spelling():
    assert all(variants.canonical(name) == name for name in variants.names())


def test_parameters_are_spelled_in_declared_order_without_spaces():
    text = " slot9[ background=own , iterations=5 ] "
    assert variants.canonical(text) == "slot9[iterations=5,background=own]"


def test_defaults_are_dropped():
    assert variants.canonical("slot9[slots=9,encoder=64-64-64-256,learned_init=false]") == "slot9"


def test_names_of_one_class_have_defaults_of_their_own():
    assert variants.canonical("slot5[slots=5]") == "slot5"
    assert variants.canonical("slot9[slots=5]") == "slot9[slots=5]"


def test_tuples_and_booleans_are_spelled_plainly():
    text = "slot9[encoder=8-8-8-16,learned_init=True]"
    assert variants.canonical(text) == "slot9[encoder=8-8-8-16,learned_init=true]"


def test_a_value_equal_to_the_protocols_is_dropped_and_one_equal_to_the_default_is_kept():
    narrow = {"width": 16}
    assert variants.canonical("spatial[width=16]", narrow) == "spatial"
    assert variants.canonical("spatial[width=64]", narrow) == "spatial[width=64]"


def test_the_bracket_counts_more_than_the_protocol_and_the_protocol_more_than_the_default():
    values = variants.resolved_parameters("slot9[width=8]", {"width": 16, "encoder": "8-8-8-16", "other": 1})
    assert (values["width"], values["encoder"], values["slots"]) == (8, (8, 8, 8, 16), 9)
    assert "other" not in values


def test_a_protocols_value_of_the_wrong_type_is_refused():
    with pytest.raises(
        VariantError, match=r"width=wide is not allowed: width is a whole number of at least 1"
    ):
        variants.resolved_parameters("spatial", {"width": "wide"})


def parameter_choices(name: str) -> st.SearchStrategy[str]:
    """Texts that choose some parameters of a variant, in any order."""

    def values(each: Parameter) -> st.SearchStrategy[str]:
        if each.kind == "choice":
            return st.sampled_from(each.choices)
        if each.kind == "bool":
            return st.sampled_from(["true", "false"])
        entries = st.integers(math.ceil(each.minimum or 0), int(min(each.maximum or 300, 300))).map(str)
        return st.tuples(*[entries] * each.length).map("-".join) if each.length else entries

    pairs = [
        values(each).map(f"{each.name}={{}}".format) for each in variants.describe(name).parameters.values()
    ]
    chosen = st.lists(st.sampled_from(range(len(pairs))), unique=True, min_size=1)
    return chosen.flatmap(lambda places: st.tuples(*(pairs[place] for place in places))).map(
        lambda parts: f"{name}[{','.join(parts)}]"
    )


@given(st.sampled_from(variants.names()[:7]).flatmap(parameter_choices))
def test_the_canonical_spelling_means_the_same_and_is_its_own(text):
    canonical = variants.canonical(text)
    assert variants.canonical(canonical) == canonical
    assert variants.resolved_parameters(canonical) == variants.resolved_parameters(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("slto9", r"Unknown variant 'slto9'\. Did you mean 'slot9'.*There are: .*spatial"),
        ("slot9[iteration=5]", r"Unknown parameter of slot9 'iteration'\. Did you mean 'iterations'"),
        ("copy[width=5]", r"Unknown parameter of copy 'width'\. There are none"),
        ("slot9[iterations=five]", r"iterations=five is not allowed: iterations is a whole number"),
        ("slot9[iterations=2.5]", r"iterations is a whole number of at least 1"),
        ("slot9[iterations=0]", r"iterations=0 is not allowed: iterations is a whole number of at least 1"),
        ("slot9[slots=1]", r"slots is a whole number of at least 2"),
        ("slot9[background=mine]", r"background is one of reuse, own, none"),
        ("slot9[learned_init=yes]", r"learned_init is true or false"),
        (
            "slot9[encoder=64-64]",
            r"encoder is 4 whole numbers of at least 1 and at most 8192 joined by '-', as in 64-64-64-256",
        ),
        ("slot9[encoder=64-64-0-1]", r"encoder=64-64-0-1 is not allowed"),
        ("slot9[iterations]", r"Cannot read 'iterations' in .*Write parameter=value"),
        ("slot9[iterations=]", r"Cannot read 'iterations='"),
        ("slot9[iterations=1,iterations=2]", r"iterations is given twice"),
        ("slot9[iterations=1", r"Cannot read 'slot9\[iterations=1'\. Write a name, or name\[parameter=value"),
        ("slot9]", r"Cannot read 'slot9\]'"),
        ("", r"Cannot read ''"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_what_is_allowed(text, message):
    with pytest.raises(VariantError, match=message):
        variants.canonical(text)


def test_nan_is_out_of_every_range():
    with pytest.raises(VariantError, match="share is a finite number of at least 0"):
        Parameter("share", "float", 0.5, minimum=0).check("nan")


def test_whole_numbers_are_numbers_but_booleans_are_not():
    share = Parameter("share", "float", 0.5)
    assert share.check(1) == 1.0
    with pytest.raises(VariantError, match="share=true is not allowed"):
        share.check(True)


def test_a_default_out_of_its_own_range_is_refused():
    from typing import Annotated

    with pytest.raises(VariantError, match="slots=0 is not allowed"):
        parameter("slots", Annotated[int, AtLeast(1)], 0)
    with pytest.raises(VariantError, match="encoder=8-8 is not allowed"):
        parameter("encoder", Annotated[tuple[int, ...], Length(4)], (8, 8))


def test_a_type_that_cannot_be_spelled_is_refused():
    with pytest.raises(VariantError, match="a parameter is an int, float, bool, Literal"):
        parameter("layers", list, ())


@pytest.mark.parametrize("name", variants.names())
def test_every_default_is_read_back_from_its_spelling(name):
    for each in variants.describe(name).parameters.values():
        assert each.check(each.spelled_default) == each.default
        assert each.doc


def test_whole_floats_are_spelled_without_a_point():
    assert [spell(value) for value in (2.0, 0.5, True, (1, 2), "own")] == ["2", "0.5", "true", "1-2", "own"]
