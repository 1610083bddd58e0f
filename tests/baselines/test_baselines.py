"""What each baseline is."""

import pytest
import torch

import variants

NARROW = {"width": 4, "blocks": 1}


@pytest.fixture
def image() -> torch.Tensor:
    return torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0)) * 2 - 1


def build(name: str) -> variants.Generator:
    generator = variants.build(name, NARROW)
    variants.initialise(generator, lambda parameter: torch.Generator().manual_seed(len(parameter)))
    return generator


def test_copy_returns_its_input_and_has_nothing_to_train(image):
    generator = build("copy")
    assert torch.equal(generator(image).image, image)
    assert not generator.trainable


def test_cyclegan_has_one_content_and_no_mask(image):
    translation = build("cyclegan")(image)
    assert translation.masks is None
    assert torch.equal(translation.contents[:, 0], translation.image)


def test_attentiongan_v1_lets_the_input_through_where_its_mask_is_dark(image):
    generator = build("attentiongan-v1")
    translation = generator(image)
    foreground = translation.masks[:, :1]
    expected = translation.contents[:, 0] * foreground + image * (1 - foreground)
    assert generator.background == 1
    torch.testing.assert_close(translation.image, expected)


def test_the_content_of_attentiongan_v1_can_leave_the_range_of_images(image):
    generator = build("attentiongan-v1")
    with torch.no_grad():
        generator.trunk.mask_and_content.bias.fill_(3)
    assert generator(image).contents[:, 0].max() > 1


def test_importing_the_package_imports_no_torch():
    import subprocess
    import sys

    code = "import sys, baselines; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
