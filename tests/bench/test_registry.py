"""A registry: entries from our own modules, by name, each name once."""

import pytest

from bench.data.scenes import SCENES, scene
from bench.errors import UsageError
from bench.registry import Registry


def test_our_own_modules_are_imported_when_it_is_first_asked():
    fresh: Registry[object] = Registry(
        "data set", package="bench.data.scenes", group="bench.scenes", see="bench list datasets"
    )
    assert fresh.entries() == {}  # they have registered with SCENES
    assert {"toy-season", "toy-shape", "toy-stripes"} <= set(SCENES.entries())


def test_an_unknown_name_is_answered_with_close_ones():
    with pytest.raises(UsageError, match=r"Unknown data set 'toy-stripe'. Did you mean 'toy-stripes'"):
        SCENES.find("toy-stripe")


def test_a_second_claim_on_a_name_is_refused_and_says_who_has_it():
    taken = r"'toy-stripes' of .*Mine is taken by bench\.data\.scenes\.stripes\.StripesScene"
    SCENES.entries()
    with pytest.raises(UsageError, match=taken):
        scene("toy-stripes", "Mine.")(type("Mine", (), {}))


def test_the_same_thing_may_register_again():
    known = SCENES.find("toy-stripes")
    SCENES.add("toy-stripes", known, known.scene)
    assert SCENES.find("toy-stripes") is known


def test_entries_given_out_are_not_the_registry_itself():
    SCENES.entries().clear()
    assert SCENES.entries()
