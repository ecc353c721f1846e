"""What is opened in a role has a place among the layers."""

from typing import get_args

from napari_sem_sr.widgets.viewer.layers import Role
from napari_sem_sr.widgets.viewer.opening import ROLES


def test_files_can_be_opened_in_every_role() -> None:
    assert set(ROLES) == set(get_args(Role))
