"""Pixels that are in other files, or nowhere: hashed, named, refused; never black without a word."""

import h5py
import numpy as np
import pytest

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import read_stack

STACK = np.random.default_rng(1).integers(1, 255, (6, 20, 24)).astype(np.uint8)


def write_sources(folder, count=3):
    folder.mkdir(exist_ok=True)
    paths = []
    for i in range(count):
        paths.append(folder / f"part{i}.h5")
        with h5py.File(paths[-1], "w") as file:
            file["a"] = STACK[2 * i : 2 * i + 2]
    return paths


def write_virtual(path, sources, prefix=""):
    layout = h5py.VirtualLayout(STACK.shape, STACK.dtype)
    for i, source in enumerate(sources):
        layout[2 * i : 2 * i + 2] = h5py.VirtualSource(
            prefix + source.name, "a", (2, *STACK.shape[1:])
        )
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("all", layout)
    return path


def test_a_virtual_dataset_is_read_and_hashed_with_its_sources(tmp_path, monkeypatch):
    sources = write_sources(tmp_path / "d")
    path = write_virtual(tmp_path / "d" / "a.h5", sources)
    monkeypatch.chdir(tmp_path)
    stack = read_stack(path)
    np.testing.assert_array_equal(stack.data.compute(), STACK)
    before = stack.content_hash
    with h5py.File(sources[1], "r+") as file:
        file["a"][0, 0, 0] ^= 1
    again = read_stack(path)
    assert again.content_hash != before
    assert again.slice(2)[0, 0] == STACK[2, 0, 0] ^ 1


def test_slices_whose_virtual_source_is_gone_are_named(tmp_path):
    sources = write_sources(tmp_path)
    path = write_virtual(tmp_path / "a.h5", sources)
    sources[1].unlink()
    with pytest.raises(
        InputError, match=r"Slice 2 cannot be used.*part1\.h5', which is not there.*2,3"
    ):
        read_stack(path)
    np.testing.assert_array_equal(
        read_stack(path, without=[2, 3]).data.compute(), STACK[[0, 1, 4, 5]]
    )


def test_what_no_source_fills_is_told(tmp_path):
    path = write_virtual(tmp_path / "a.h5", write_sources(tmp_path)[:2])
    assert "33.3% of it is read as 0" in read_stack(path).notices[0]


def test_a_virtual_source_in_another_folder_is_refused_unless_asked_for(tmp_path):
    (tmp_path / "in").mkdir()
    path = write_virtual(tmp_path / "in" / "a.h5", write_sources(tmp_path), "../")
    with pytest.raises(InputError, match="--elsewhere"):
        read_stack(path)
    np.testing.assert_array_equal(read_stack(path, elsewhere=True).data.compute(), STACK)


def write_external(folder, target):
    folder.mkdir(exist_ok=True)
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset(
            "a", STACK.shape, STACK.dtype, external=[(target, 0, h5py.h5f.UNLIMITED)]
        )
    (folder / target).write_bytes(STACK.tobytes())
    return folder / "a.h5"


def test_external_storage_beside_is_read_and_hashed(tmp_path, monkeypatch):
    path = write_external(tmp_path / "d", "pixels.raw")
    monkeypatch.chdir(tmp_path)
    stack = read_stack(path)
    np.testing.assert_array_equal(stack.data.compute(), STACK)
    before = stack.content_hash
    content = bytearray(STACK.tobytes())
    content[7] ^= 1
    (tmp_path / "d" / "pixels.raw").write_bytes(content)
    assert read_stack(path).content_hash != before


def test_external_storage_that_is_short_or_gone_is_told(tmp_path):
    path = write_external(tmp_path, "pixels.raw")
    (tmp_path / "pixels.raw").write_bytes(STACK.tobytes()[: 4 * 20 * 24 + 5])
    with pytest.raises(InputError, match=r"Slice 4 cannot be used.*--without 4,5"):
        read_stack(path)
    (tmp_path / "pixels.raw").unlink()
    with pytest.raises(InputError, match=r"pixels\.raw', which is not there"):
        read_stack(path)


def test_external_storage_in_another_folder_is_refused_unless_asked_for(tmp_path):
    path = write_external(tmp_path / "in", "../pixels.raw")
    with pytest.raises(InputError, match="--elsewhere"):
        read_stack(path)
    np.testing.assert_array_equal(read_stack(path, elsewhere=True).data.compute(), STACK)


def test_an_external_link_is_hashed_with_what_it_leads_to(tmp_path):
    (source,) = write_sources(tmp_path, 1)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["link"] = h5py.ExternalLink(source.name, "/a")
    given = f"{tmp_path / 'a.h5'}::/link"
    before = read_stack(given).content_hash
    with h5py.File(source, "r+") as file:
        file["a"][1, 3, 3] ^= 1
    assert read_stack(given).content_hash != before


def test_slices_of_which_no_chunk_was_written_are_named_and_parts_are_told(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("a", STACK.shape, STACK.dtype, chunks=(1, 10, 24))
        data[:3] = STACK[:3]
        data[3, :10] = STACK[3, :10]
        data[5] = STACK[5]
    with pytest.raises(InputError, match=r"Slice 4 cannot be used: .* never written"):
        read_stack(path)
    assert "parts of slice 3 that were never written" in " ".join(
        read_stack(path, without=[4]).notices
    )


def test_a_dataset_that_was_never_written_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", STACK.shape, STACK.dtype)
    with pytest.raises(InputError, match="never written"):
        read_stack(tmp_path / "a.h5")
