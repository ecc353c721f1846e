"""How pages are filled in."""

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(package: str) -> Environment:
    """Templates in the folder ``templates`` of ``package``; what stands in them is escaped, and nothing may be missing."""
    # autoescape: names of files and layers are other people's text
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
