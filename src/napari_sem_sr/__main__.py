"""``python -m napari_sem_sr`` is ``sem-sr``."""

from napari_sem_sr.cli import main

main()
