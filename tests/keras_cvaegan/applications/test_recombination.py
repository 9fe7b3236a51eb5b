import numpy as np
import pytest

from keras_cvaegan.applications import recombine


def test_a_picture_recombined_with_itself_is_its_reconstruction(lr_li_vae, images):
    found = recombine(lr_li_vae, images, images)
    assert found.shape == (5, 5, 16, 16, 3)
    diagonal = found[np.arange(5), np.arange(5)]
    np.testing.assert_allclose(diagonal, lr_li_vae.reconstruct(images), atol=1e-5)


def test_rows_give_z_s_and_columns_z_u(lr_li_vae, images):
    found = recombine(lr_li_vae, images[:2], images[2:])
    z_s, z_u = lr_li_vae.codes(images)
    for row in range(2):
        for column in range(3):
            expected = lr_li_vae.decode_codes(z_s[[row]], z_u[[2 + column]])[0]
            np.testing.assert_allclose(found[row, column], expected, atol=1e-5)
    assert np.abs(found[0] - found[1]).max() > 1e-3
    assert np.abs(found[:, 0] - found[:, 1]).max() > 1e-3


@pytest.mark.parametrize(("rows", "columns"), [(0, 2), (2, 0), (0, 0), (1, 1)])
def test_few_pictures(lr_li_vae, images, rows, columns):
    found = recombine(lr_li_vae, images[:rows], images[:columns])
    assert found.shape == (rows, columns, 16, 16, 3)


def test_wrong_inputs(lr_li_vae, cvae_gan, images):
    with pytest.raises(ValueError, match=r"CVAEGAN has one code, z\. Models with two, z_s and z_u"):
        recombine(cvae_gan, images, images)
    with pytest.raises(ValueError, match=r"images must have the shape \(n, 16, 16, 3\)"):
        recombine(lr_li_vae, images, images[:, :8])
