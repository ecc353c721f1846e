"""What napari remembers for the docks, under Preferences > SEM super-resolution."""

from typing import Any

from napari_sem_sr.widgets.qt.dock_group import PLUGIN

SECTION = "inspect"


def remembered() -> Any | None:
    """The settings of Inspect, as attributes that can be set; None where napari keeps none for plugins."""
    try:
        from napari.settings import get_plugin_settings

        return getattr(get_plugin_settings(PLUGIN), SECTION)
    except (ImportError, KeyError, AttributeError):
        # an older napari, or a plugin that is used without being installed
        return None


def recall(name: str, default: Any) -> Any:
    """A setting, or ``default`` where nothing is remembered.

    Parameters
    ----------
    name
        Of the setting.
    """
    return getattr(remembered(), name, default)


def remember(name: str, value: Any) -> None:
    """Keep a setting for the next time.

    Parameters
    ----------
    name
        Of the setting.
    value
        What Qt's settings can hold.
    """
    settings = remembered()
    if settings is not None:
        setattr(settings, name, value)
