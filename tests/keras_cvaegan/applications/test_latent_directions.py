import numpy as np
import pytest

from keras_cvaegan.applications.latent_directions import principal_directions
from keras_cvaegan.models import CVAEGAN

SHAPE = (3, 2, 2)
LATENT_DIM = 4


@pytest.fixture(scope="module")
def known():
    """A matrix of pictures' pixels by latents with a known decomposition: u, s, v."""
    rng = np.random.default_rng(0)
    u, _ = np.linalg.qr(rng.standard_normal((12, LATENT_DIM)))
    v, _ = np.linalg.qr(rng.standard_normal((LATENT_DIM, LATENT_DIM)))
    return u, np.array([4.0, 2.0, 1.0, 0.5]), v.T


def linear(known):
    u, s, v = known

    def decode(z, labels):
        return (z @ (u * s @ v).T + 10 * np.asarray(labels)[:, np.newaxis]).reshape(-1, *SHAPE)

    return decode


def assert_same_lines(vectors, expected, tolerance):
    """Whether vectors are each other's equal up to the sign."""
    cosines = np.abs(np.sum(vectors * expected, axis=1))
    np.testing.assert_allclose(cosines, 1, atol=tolerance)


@pytest.mark.parametrize("batch_size", [1, 7, 128])
def test_a_linear_decoder_gives_its_right_singular_vectors(known, batch_size):
    _, s, v = known
    found = principal_directions(
        linear(known), LATENT_DIM, [0, 1, 5], pairs=40, batch_size=batch_size
    )
    assert_same_lines(found.vectors, v, 1e-6)
    np.testing.assert_allclose(found.shares, s**2 / np.sum(s**2), rtol=1e-5)
    np.testing.assert_allclose(found.vectors @ found.vectors.T, np.eye(LATENT_DIM), atol=1e-6)
    assert np.all(np.max(found.vectors, axis=1) >= -np.min(found.vectors, axis=1))


def test_what_is_even_in_z_does_not_count(known):
    straight = linear(known)

    def curved(z, labels):
        return straight(z, labels) + 50 * np.sum(z**2, axis=1).reshape(-1, 1, 1, 1)

    found = principal_directions(curved, LATENT_DIM, [0], pairs=40)
    assert_same_lines(found.vectors, known[2], 1e-5)


@pytest.mark.slow
def test_a_curved_decoder_gives_its_mean_jacobian():
    # Stein: E[x zᵀ] = E[∂x/∂z]. The Jacobian comes from finite differences, the mean from as many
    # latents that the estimate never saw.
    rng = np.random.default_rng(1)
    first = rng.standard_normal((6, LATENT_DIM)) * [1.5, 1, 0.6, 0.3]
    second = rng.standard_normal((12, 6))

    def decode(z, labels):
        return np.tanh(z @ first.T + np.asarray(labels)[:, np.newaxis]) @ second.T

    z, step = rng.standard_normal((20_000, LATENT_DIM)), 1e-4
    labels = np.arange(len(z)) % 2
    jacobian = np.stack(
        [
            np.mean(decode(z + step * e, labels) - decode(z - step * e, labels), axis=0) / step / 2
            for e in np.eye(LATENT_DIM)
        ],
        axis=1,
    )
    _, s, v = np.linalg.svd(jacobian, full_matrices=False)
    found = principal_directions(decode, LATENT_DIM, [0, 1], pairs=20_000, batch_size=20_000)
    assert_same_lines(found.vectors, v, 2e-3)
    np.testing.assert_allclose(found.shares, s**2 / np.sum(s**2), atol=0.02)
    again = principal_directions(decode, LATENT_DIM, [0, 1], pairs=20_000, seed=1)
    assert_same_lines(found.vectors, again.vectors, 2e-3)
    assert np.abs(found.vectors - again.vectors).max() > 0


def test_pictures_with_fewer_pixels_than_latents():
    found = principal_directions(lambda z, labels: z[:, :1], 3, [0])
    np.testing.assert_allclose(found.vectors @ found.vectors.T, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(found.shares, [1, 0, 0], atol=1e-6)


def test_of_a_model_by_labels_and_by_class_weights():
    model = CVAEGAN.from_preset("compact", image_shape=(16, 16, 3), num_classes=2, latent_dim=3)
    by_label = principal_directions(model.decode, 3, [0, 1], count=2, pairs=16)
    by_weight = principal_directions(model.decode, 3, np.eye(2), count=2, pairs=16)
    assert by_label.vectors.shape == (2, 3)
    assert by_label.shares.shape == (2,)
    np.testing.assert_allclose(by_label.vectors, by_weight.vectors, atol=1e-5)
    one_class = principal_directions(model.decode, 3, [1], count=2, pairs=16)
    assert np.abs(by_label.vectors - one_class.vectors).max() > 1e-3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pairs": 3}, "pairs must be at least latent_dim, which is 4.*Received: 3"),
        ({"count": 5}, "count must be from 1 to latent_dim, which is 4. Received: 5"),
        ({"count": 0}, "Received: 0"),
        ({"labels": []}, "at least one integer.*Received: the shape"),
        ({"labels": 3}, "at least one integer"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"decode": lambda z, labels: z[:1]}, "a picture of finite numbers for each of 128"),
        ({"decode": lambda z, labels: z * np.nan}, "0% of its numbers finite"),
        ({"decode": lambda z, labels: 0 * z}, "do not depend on z"),
    ],
)
def test_wrong_inputs(known, arguments, message):
    arguments = {"decode": linear(known), "labels": [0], **arguments}
    with pytest.raises(ValueError, match=message):
        principal_directions(latent_dim=LATENT_DIM, **arguments)
