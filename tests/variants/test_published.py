"""Equality with the published networks: their weights in our generators give their numbers."""

import os
from types import ModuleType

import pytest
import torch

import variants
from variants import VariantError
from variants.contract import Generator, Translation
from variants.published.files import contents_of, read_file

# reference file -> system, places of masks and contents without the input, tolerance of images, of masks.
# The tolerances are what the published code shows against itself over threads, layouts and precisions.
SYSTEMS = {
    "spatial": ("attentiongan", slice(None), slice(0, 9), 5e-5, 2e-5),
    "light_spatial5": ("light-spatial5", slice(None), slice(1, 5), 2e-4, 2e-4),
    "light_slot5": ("light-slot5", slice(None), slice(1, 5), 5e-5, 5e-5),
    "slot9": ("slot9", slice(0, 9), slice(0, 9), 1e-4, 1e-4),
}
EVERY_SYSTEM = {name: system for name, (system, *_) in SYSTEMS.items()} | {
    "cyclegan": "cyclegan",
    "attentiongan_v1": "attentiongan-v1",
}


@pytest.fixture(scope="module")
def published(reference: ModuleType):
    """`published(name)`: the generator that carries a reference network's weights."""

    def make(name: str) -> Generator:
        state = reference.filled_state(reference.shapes(name), reference.overrides(name))
        return variants.from_published(EVERY_SYSTEM[name], state)

    return make


def translate(generator: Generator, arrays: dict) -> Translation:
    noise = torch.from_numpy(arrays["noise"]) if "noise" in arrays else None
    with torch.no_grad():
        return generator(torch.from_numpy(arrays["input"]), noise)


def assert_near(ours: torch.Tensor, theirs, tolerance: float) -> None:
    torch.testing.assert_close(ours, torch.from_numpy(theirs), rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", SYSTEMS)
def test_output_masks_and_contents_are_those_of_the_published_network(name, published, reference):
    _, masks, contents, image_tolerance, mask_tolerance = SYSTEMS[name]
    arrays = reference.arrays(name)
    ours = translate(published(name), arrays)
    assert_near(ours.image, arrays["output"], image_tolerance)
    assert_near(ours.masks[:, masks], arrays["masks"], mask_tolerance)
    assert_near(ours.contents[:, contents, :, ::4, ::4], arrays["content_sub4"], 1e-4)


def test_cyclegan_gives_the_published_output(published, reference):
    arrays = reference.arrays("cyclegan")
    assert_near(translate(published("cyclegan"), arrays).image, arrays["output"], 1e-4)


@pytest.mark.parametrize(("mode", "tolerance"), [("eval", 2e-5), ("train", 1e-4)])
def test_attentiongan_v1_gives_the_published_output_in_both_modes(mode, tolerance, published, reference):
    arrays = reference.arrays("attentiongan_v1")
    generator = published("attentiongan_v1").train(mode == "train")
    ours = translate(generator, arrays)
    assert_near(ours.image, arrays[f"output_{mode}"], tolerance)
    assert_near(ours.masks[:, :1], arrays[f"mask_{mode}"], tolerance)
    assert_near(ours.contents[:, 0, :, ::4, ::4], arrays[f"content_sub4_{mode}"], 1e-4)


def test_attentiongan_v1_updates_its_running_statistics_as_published(published, reference):
    arrays = reference.arrays("attentiongan_v1")
    generator = published("attentiongan_v1").train()
    translate(generator, arrays)
    state = generator.state_dict()
    for kind in ("running_mean", "running_var"):
        ours = torch.cat([tensor for key, tensor in state.items() if key.endswith(kind)])
        assert_near(ours, arrays[f"{kind}_after_train"], 1e-4)


@pytest.mark.parametrize("name", EVERY_SYSTEM)
def test_live_parameters_are_counted_as_published(name, published, reference):
    ours = sum(parameter.numel() for parameter in published(name).parameters())
    assert ours == reference.facts(name)["live_parameters"]


@pytest.mark.parametrize(
    ("name", "system"), [("training_lsgan_G", "attentiongan"), ("training_wgan_gp_G", "light-spatial5")]
)
def test_width_and_blocks_are_inferred_from_the_weights(name, system, reference):
    state = reference.filled_state(reference.shapes(name))
    generator = variants.from_published(system, state)
    assert generator.parameter_values["width"] == 16
    assert generator.parameter_values["blocks"] == 2


def test_a_common_module_prefix_is_dropped(reference):
    shapes = {f"module.{key}": shape for key, shape in reference.shapes("training_lsgan_G").items()}
    generator = variants.from_published("attentiongan", reference.filled_state(shapes))
    assert generator.parameter_values["width"] == 16


@pytest.fixture
def narrow_state(reference):
    return reference.filled_state(reference.shapes("training_lsgan_G"))


def test_a_missing_entry_is_refused(narrow_state):
    del narrow_state["deconv3_attention.bias"]
    with pytest.raises(variants.VariantError, match=r"missing: deconv3_attention\.bias"):
        variants.from_published("attentiongan", narrow_state)


def test_an_entry_left_over_is_refused(narrow_state):
    narrow_state["deconv4.weight"] = torch.zeros(3)
    with pytest.raises(variants.VariantError, match=r"left over: deconv4\.weight"):
        variants.from_published("attentiongan", narrow_state)


def test_a_wrong_shape_is_refused(narrow_state):
    narrow_state["conv2.bias"] = torch.zeros(5)
    with pytest.raises(variants.VariantError, match=r"wrong shape: conv2\.bias is \[5\], expected \[32\]"):
        variants.from_published("attentiongan", narrow_state)


def test_all_problems_are_listed_at_once(narrow_state):
    del narrow_state["conv2.bias"]
    narrow_state["odd"] = torch.zeros(1)
    with pytest.raises(variants.VariantError, match=r"(?s)missing: conv2\.bias.*left over: odd"):
        variants.from_published("attentiongan", narrow_state)


def test_the_checkpoint_of_another_system_is_refused(narrow_state):
    with pytest.raises(
        variants.VariantError, match=r"no checkpoint of cyclegan: it lacks 'model\.1\.weight'"
    ):
        variants.from_published("cyclegan", narrow_state)


def test_an_empty_checkpoint_is_refused():
    with pytest.raises(variants.VariantError, match="no checkpoint of slot9"):
        variants.from_published("slot9", {})


def test_an_unknown_system_is_answered_with_the_known_ones(narrow_state):
    with pytest.raises(variants.VariantError, match=r"Did you mean 'attentiongan'.*light-spatial5"):
        variants.from_published("atentiongan", narrow_state)


@pytest.fixture(scope="module")
def published_state() -> dict[str, torch.Tensor]:
    """A small generator of CycleGAN under the names of its published code."""
    from variants.published import names_of, theirs_of

    generator = variants.build("cyclegan", {"width": 2, "blocks": 1})
    ours = generator.state_dict()
    theirs = theirs_of(list(ours), names_of("cyclegan").modules(generator.parameter_values))
    return {theirs[name]: tensor.clone() for name, tensor in ours.items()}


def prefixed(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"epoch": 3, "state_dict": state, "optimizer": {"state": {}, "param_groups": []}},
        lambda state: {"model": {"netG": state}, "loss": [0.5]},
        lambda state: prefixed(state, "module."),
        lambda state: prefixed(state, "_orig_mod."),
        lambda state: prefixed(state, "netG._orig_mod.module."),
        lambda state: {"state_dict": prefixed(state, "model.netG.")},
        lambda state: prefixed(state, "netG.") | {"netD.weight": torch.zeros(3)},
        lambda state: {"ema": state, "model": state},
    ],
    ids=["trainer", "nested", "parallel", "compiled", "all", "lightning", "beside", "twice"],
)
def test_the_one_state_dict_that_fits_is_found_in_what_a_training_saved(wrap, published_state) -> None:
    found = variants.from_published("cyclegan", wrap(published_state))
    assert found.parameter_values["width"] == 2
    direct = variants.from_published("cyclegan", published_state)
    for ours, theirs in zip(found.parameters(), direct.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("wrap", "said"),
    [
        (lambda state: dict(enumerate(state.values())), "under numbers, not names"),
        (lambda state: list(state), "no tensors by name"),
        (lambda state: {}, "holds nothing"),
        (
            lambda state: {name: each.numpy() for name, each in state.items()},
            r"holds \d+ NumPy arrays, no tensors \(such as .*make them with torch\.from_numpy",
        ),
        (
            lambda state: {name.encode(): each for name, each in state.items()},
            "under keys of type bytes, not",
        ),
        (lambda state: {(name, 1): each for name, each in state.items()}, "under keys of type tuple, not"),
        (lambda state: dict(list(state.items())[:-1]), "missing: "),
        (lambda state: state | {"more.weight": torch.zeros(2)}, "left over: more.weight"),
        (
            lambda state: {"G_A": state, "G_B": {name: each + 1 for name, each in state.items()}},
            "more than one that fits",
        ),
    ],
    ids=["numbers", "list", "empty", "arrays", "bytes", "tuples", "missing", "left over", "two"],
)
def test_where_none_or_several_fit_it_is_said_what_is_there_and_what_is_wanted(
    wrap, said, published_state
) -> None:
    with pytest.raises(VariantError, match=said) as caught:
        variants.from_published("cyclegan", wrap(published_state), "latest_net_G.pth")
    assert "Wanted: the state dict of one generator of cyclegan" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 45678\n",
            "45678 bytes that are not",
        ),
        (b"\n<!DOCTYPE html><html>log in</html>", "web page"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"PK\x03\x04half", "cut off after 8 bytes"),
        (b"epoch,loss\n1,0.5\n", "text that begins with 'epoch,loss'"),
        (b"\x80\x02\x00\x01nonsense", "damaged, or no file of torch.save"),
    ],
)
def test_a_file_that_holds_no_weights_is_called_what_it_is(content, said, tmp_path) -> None:
    (tmp_path / "net.pth").write_bytes(content)
    with pytest.raises(VariantError, match=said):
        read_file(tmp_path / "net.pth")


@pytest.mark.parametrize("content", [b"\x80\x02\x00\x01nonsense", bytes(64)])
def test_a_damaged_safetensors_file_is_called_that(content, tmp_path) -> None:
    (tmp_path / "st.safetensors").write_bytes(content)
    with pytest.raises(VariantError, match="no safetensors file, or damaged") as error:
        read_file(tmp_path / "st.safetensors")
    assert "torch.save" not in str(error.value)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path) -> None:
    os.mkfifo(tmp_path / "net.pth")
    with pytest.raises(VariantError, match="is a pipe, socket or device"):
        read_file(tmp_path / "net.pth")


def test_a_file_that_holds_itself_is_told_of_as_far_as_it_goes() -> None:
    whole: dict = {"conv1.weight": torch.zeros(1)}
    whole["again"] = whole
    assert contents_of(whole).startswith("one tensor (conv1.weight [1]), again: one tensor")


def test_a_whole_pickled_model_is_refused_and_nothing_in_it_runs(tmp_path, published_state) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "net.pth")
    with pytest.raises(VariantError, match=r"torch\.save\(model\.state_dict\(\)"):
        read_file(tmp_path / "net.pth")
