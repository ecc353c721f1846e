"""Qt without napari: docks, workers, plots, dialogs."""
