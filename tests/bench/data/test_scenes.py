"""The embedded scenes: deterministic, unpaired in training, with a truth that is true."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from bench.data.load import renderer_version, scene_images, scene_truth
from bench.data.scenes import SCENES
from bench.data.scenes.canvas import Canvas, ellipse, limb, noise, polygon, rgb

NAMES = sorted(SCENES.entries())
OBJECTS_CHANGE = ["toy-shape", "toy-stripes"]


def images(name, split="train", domain="A", count=6, size=64):
    return np.concatenate(list(scene_images(SCENES.find(name), split, domain, count, size)))


def truth(name, domain="A", count=12, size=64):
    layers = np.concatenate(list(scene_truth(SCENES.find(name), domain, count, size)))
    return layers[..., :3], layers[..., 3] > 0, layers[..., 4]


@pytest.mark.parametrize("name", NAMES)
def test_a_scene_is_the_same_each_time_and_however_many_are_asked_for(name):
    np.testing.assert_array_equal(images(name, count=3), images(name, count=6)[:3])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [16, 48, 72, 130])
def test_scenes_have_any_size(name, size):
    shown = images(name, count=1, size=size)
    assert shown.shape == (1, size, size, 3)
    assert shown.dtype == np.uint8


@pytest.mark.parametrize("name", NAMES)
def test_a_scene_is_the_same_scene_at_every_size(name):
    large = images(name, count=4, size=128).reshape(4, 64, 2, 64, 2, 3).mean((2, 4))
    assert np.abs(large - images(name, count=4, size=64)).mean() < 5


@pytest.mark.parametrize("name", NAMES)
def test_no_scene_occurs_twice(name):
    every = np.concatenate(
        [images(name, split, domain) for split in ("train", "validation", "test") for domain in "AB"]
    )
    assert len(np.unique(every.reshape(len(every), -1), axis=0)) == len(every)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("domain", ["A", "B"])
def test_every_test_scene_has_one_to_four_objects_of_visible_size(name, domain):
    _, _, objects = truth(name, domain)
    for labels in objects:
        found = set(np.unique(labels)) - {0}
        assert found
        assert found <= {1, 2, 3, 4}
        assert (labels > 0).mean() > 0.01


@pytest.mark.parametrize("name", OBJECTS_CHANGE)
@pytest.mark.parametrize("domain", ["A", "B"])
def test_the_counterfactual_changes_the_foreground_and_nothing_else(name, domain):
    source = images(name, "test", domain, 12).astype(int)
    counterfactual, foreground, _ = truth(name, domain)
    change = np.abs(source - counterfactual).max(axis=3)
    for changed, inside in zip(change, foreground, strict=True):
        assert changed[~inside].max() <= 12
        assert not changed[~binary_dilation(inside, np.ones((7, 7)))].any()
        assert (changed[inside] > 10).mean() > 0.5


def test_the_season_changes_everywhere():
    source = images("toy-season", "test", "A", 12).astype(int)
    counterfactual, foreground, _ = truth("toy-season", "A")
    assert foreground.all()
    assert (np.abs(source - counterfactual).max(axis=3) > 10).mean() > 0.8


@pytest.mark.parametrize("name", NAMES)
def test_the_counterfactual_looks_like_the_other_domain(name):
    """The mean colour of the changed pixels tells the domains apart, for every single scene."""
    means = {}
    for domain in "AB":
        _, foreground, _ = truth(name, domain, 40)
        source = images(name, "test", domain, 40)
        means[domain] = np.array(
            [shown[inside].mean(0) for shown, inside in zip(source, foreground, strict=True)]
        )
    counterfactual, foreground, _ = truth(name, "A", 40)
    changed = np.array(
        [shown[inside].mean(0) for shown, inside in zip(counterfactual, foreground, strict=True)]
    )
    to_A = np.linalg.norm(changed[:, None] - means["A"][None], axis=2).min(1)
    to_B = np.linalg.norm(changed[:, None] - means["B"][None], axis=2).min(1)
    assert (to_B < to_A).all()


def test_objects_of_stripes_are_the_same_in_both_domains():
    _, foreground, objects = truth("toy-stripes")
    assert foreground[objects > 0].all()
    for inside, labels in zip(foreground, objects, strict=True):
        assert not inside[~binary_dilation(labels > 0, np.ones((5, 5)))].any()


def test_the_outline_of_the_fruit_differs_between_the_domains():
    _, foreground, objects = truth("toy-shape")
    assert ((objects == 0) & foreground).sum() > 0.05 * foreground.sum()


def test_half_of_the_scenes_are_cluttered():
    scenes = [SCENES.find("toy-stripes").scene.draw(np.random.default_rng(seed)) for seed in range(200)]
    assert 70 < sum(bool(scene.meadow.things) for scene in scenes) < 130


@pytest.mark.parametrize(
    ("name", "mean"),
    [
        ("toy-season", (109.72, 150.76, 123.17)),
        ("toy-shape", (178.08, 163.82, 155.46)),
        ("toy-stripes", (140.92, 143.17, 114.17)),
    ],
)
def test_the_renderer_still_paints_what_it_painted(name, mean):
    """Golden means of eight scenes: a change here changes every result on embedded data."""
    np.testing.assert_allclose(images(name, count=8).mean((0, 1, 2)), mean, atol=0.05)


def test_the_version_of_the_renderer_is_stable_within_a_program():
    entry = SCENES.find("toy-stripes")
    assert renderer_version(entry) == renderer_version(entry)
    assert len(renderer_version(entry)) == 16


def test_distances_are_negative_inside_zero_on_the_edge_and_grow_by_one_per_unit():
    x, y = np.array([[0.0, 0.3, 0.5, 1.0]]), np.zeros((1, 1))
    np.testing.assert_allclose(ellipse(x, y, (0, 0), (0.5, 0.5))[0, 1:], [-0.2, 0.0, 0.5], atol=1e-12)
    np.testing.assert_allclose(limb(x, y, (0, 0, 0.1), (0.5, 0, 0.1))[0], [-0.1, -0.1, -0.1, 0.4], atol=1e-12)
    square = [(0.0, -0.5), (0.5, -0.5), (0.5, 0.5), (0.0, 0.5)]
    np.testing.assert_allclose(polygon(x, y, square)[0], [0.0, -0.2, 0.0, 0.5], atol=1e-12)


def test_an_edge_through_the_middle_of_a_pixel_covers_half_of_it():
    canvas = Canvas(4)
    patch = canvas.patch()
    patch.paint(np.broadcast_to(patch.coverage(patch.x - 0.375), (4, 4)), rgb("ffffff"))
    assert canvas.image()[0, :, 0].tolist() == [255, 128, 0, 0]


def test_a_patch_outside_the_canvas_is_empty():
    assert Canvas(8).patch(1.5, 0.2, 1.8, 0.4).pixels.size == 0


def test_noise_passes_through_its_grid():
    grid = np.arange(9.0).reshape(3, 3)
    points = np.array([0.0, 0.5, 1.0])
    np.testing.assert_allclose(noise(grid, points[None, :], points[:, None]), grid)
