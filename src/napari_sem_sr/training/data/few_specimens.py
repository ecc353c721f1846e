"""When there are too few specimens to hold some back; known before anything is trained, so torch is not loaded."""

from collections.abc import Sequence

from napari_sem_sr.teachers.teacher import Split, Teacher

# With fewer, each is left out once, and the model that ships learns from all; see `TrainingData.leave_one_group_out`.
FEW_SPECIMENS = 6


def leaves_one_group_out(teachers: Sequence[Teacher]) -> bool:
    """Whether there are several specimens, but too few to hold some back for good.

    Parameters
    ----------
    teachers
        With their specimens.
    """
    return 2 <= len({t.group for t in teachers}) < FEW_SPECIMENS


def split_leaving_one_group_out(teachers: Sequence[Teacher]) -> Split:
    """All teachers are learned from, and all are tested on, by networks that did not.

    Parameters
    ----------
    teachers
        With their specimens.
    """
    return Split(tuple(teachers), (), tuple(teachers), "specimen")
