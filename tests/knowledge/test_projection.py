"""The linear map after the sentence embedding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge.projection import load_projection, project


def test_projected_vectors_have_unit_length() -> None:
    """Cosines after the map are cosines: every row has length 1, and zero stays finite."""
    vectors = np.random.default_rng(0).standard_normal((5, 384)).astype(np.float32)
    vectors[4] = 0
    projected = project(vectors, load_projection())
    assert projected.dtype == np.float32
    assert np.allclose(np.linalg.norm(projected[:4], axis=1), 1, atol=1e-5)
    assert np.isfinite(projected).all()


def test_no_file_is_the_identity(tmp_path: Path) -> None:
    """Without a fitted matrix the embedding is used as it is."""
    assert np.array_equal(load_projection(tmp_path / "none.npy", 8), np.eye(8, dtype=np.float32))


def test_another_shape_is_refused(tmp_path: Path) -> None:
    """A matrix for another embedding model is not used in silence."""
    np.save(tmp_path / "m.npy", np.eye(7))
    with pytest.raises(ValueError, match=r"\(8, 8\)"):
        load_projection(tmp_path / "m.npy", 8)
