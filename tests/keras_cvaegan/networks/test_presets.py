"""Which networks a preset has for models of two codes, at which sizes."""

import dataclasses

import pytest

from keras_cvaegan.networks import PRESETS, preset

PAPER, COMPACT = preset("paper"), preset("compact")
NAMES = (
    *("relevant_encoder", "irrelevant_encoder", "mixture", "latent_classifier"),
    *("generator", "discriminator"),
)


def code_widths(networks):
    return {
        "relevant_encoder": networks["relevant_encoder"].output["z_mean"].shape[-1],
        "irrelevant_encoder": networks["irrelevant_encoder"].output["z_mean"].shape[-1],
        "mixture": networks["mixture"].input.shape[-1],
        "latent_classifier": networks["latent_classifier"].input.shape[-1],
        "generator": networks["generator"].input.shape[-1],
    }


def widths(relevant, irrelevant):
    return {
        **{"relevant_encoder": relevant, "irrelevant_encoder": irrelevant, "mixture": relevant},
        **{"latent_classifier": irrelevant, "generator": relevant + irrelevant},
    }


@pytest.mark.parametrize(
    ("found", "side", "dims"),
    [(COMPACT, 16, (16, 16)), (PAPER, 32, (100, 200))],
)
def test_each_network_has_its_own_dimensions(found, side, dims):
    shape = (side, side, 3)
    assert found.code_dims(shape) == dims
    networks = found.code_networks(shape, 4)
    assert tuple(networks) == NAMES
    assert code_widths(networks) == widths(*dims)
    assert networks["mixture"].output.shape == (None, 4)
    assert networks["latent_classifier"].output["logits"].shape == (None, 4)
    assert networks["latent_classifier"].output["features"].shape == (None, 256)
    assert list(networks["relevant_encoder"].output) == ["z_mean"]
    assert set(networks["irrelevant_encoder"].output) == {"z_mean", "z_log_var"}
    assert networks["generator"].output.shape == (None, *shape)
    inputs = networks["discriminator"].input
    assert (inputs["images"].shape, inputs["labels"].shape) == ((None, *shape), (None, 4))


@pytest.mark.parametrize(("found", "side"), [(COMPACT, 16), (PAPER, 32)])
def test_dimensions_may_be_given(found, side):
    networks = found.code_networks([side, side, 3], 4, (3, 5))
    assert code_widths(networks) == widths(3, 5)


@pytest.mark.slow
def test_architectures_of_the_paper_by_size():
    def discriminator(side):
        built = PAPER.code_networks((side, side, 3), 4, names=["discriminator"])
        return built["discriminator"].output["features"].shape[-1]

    assert {side: discriminator(side) for side in (32, 64, 96, 128)} == {
        32: 512,
        64: 1024,
        96: 1024,
        128: 1024,
    }
    assert PAPER.code_image_size == 64
    assert PAPER.code_dims((64, 64, 3)) == PAPER.code_dims((96, 96, 3)) == (512, 512)
    for side in (16, 48, 100):
        with pytest.raises(ValueError, match="multiples of 32") as error:
            PAPER.code_networks((side, side, 3), 4)
        assert f"({side}, {side}, 3)" in str(error.value)


@pytest.mark.parametrize("found", PRESETS.values(), ids=PRESETS)
def test_networks_of_one_z_are_apart_from_those_of_two_codes(found):
    on_trunk = set(found.trunk_builders)
    assert on_trunk == (set() if found.trunk is None else {"discriminator", "classifier"})
    assert {*found.builders, *on_trunk} == {"encoder", "generator", "discriminator", "classifier"}
    assert {*found.code_builders, *(on_trunk - {"classifier"})} == set(NAMES)
    with pytest.raises(ValueError, match=rf"{found.name!r} has no mixture\. It has encoder, gen"):
        found.networks((32, 32, 3), 4, names=["mixture"])


def test_a_preset_without_networks_of_two_codes():
    bare = dataclasses.replace(PAPER, name="bare", code_builders={})
    message = "The preset 'bare' has no mixture. It has none of this kind."
    with pytest.raises(ValueError, match=message):
        bare.code_networks((32, 32, 3), 4, names=["mixture"])


def test_dimensions_must_be_integers_above_0():
    for dims in ((0, 3), (3, 0)):
        with pytest.raises(ValueError, match="`latent_dim` must be an integer of at least 1"):
            PAPER.code_networks((32, 32, 3), 4, dims)
    with pytest.raises(ValueError, match="`latent_dim` must be an integer of at least 1"):
        COMPACT.networks((16, 16, 3), 4, latent_dim=0)
