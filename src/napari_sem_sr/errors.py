"""What a user may read when something fails.

Every message is one sentence that says what is wrong and what to do about it. The CLI prints it
without a traceback, the docks show it; anything else that is raised is a defect of ours.
"""


class SemSrError(Exception):
    """Base of all errors whose message is written for the person at the microscope."""


class InputError(SemSrError):
    """A file, folder, layer or number that was given cannot be used."""


class ElsewhereError(InputError):
    """A file names pixels outside of its own folder; a person who trusts it may ask for them."""


class MemoryShortError(InputError):
    """An image is sound, but this machine has no memory for it now."""


class ModelError(SemSrError):
    """A model bundle is missing, damaged, unsafe or does not fit the task."""


class OutputError(SemSrError):
    """The result cannot be written where it was asked for."""


class TrainingError(SemSrError):
    """Training cannot start, or could not be brought back to a sane state."""
