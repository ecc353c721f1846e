"""What a model may be called: one folder name that every system can hold and that every list shows."""

import re

LONGEST = 80

# What Windows does not allow in a name, and what it has given to devices since DOS.
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}
# Folders with these endings are taken for something other than an installed model.
_ENDINGS = (".training", ".semsr")


def name_problem(name: str) -> str | None:
    """Why ``name`` cannot be a model's, as the end of "The name ..."; None if it can.

    Examples
    --------
    >>> name_problem("tin-x4") is None
    True
    >>> name_problem(".tin")
    "begins with '.', so no list would show it"
    """
    if not name or name != name.strip() or name.endswith("."):
        return "is empty, or begins or ends with a space or ends with a full stop"
    if name.startswith("."):
        return "begins with '.', so no list would show it"
    if len(name) > LONGEST:
        return f"has {len(name)} characters; {LONGEST} are enough"
    if not name.isprintable():
        return "has characters that cannot be seen"
    if _FORBIDDEN.search(name):
        return 'has one of the characters < > : " / \\ | ? *, which a folder cannot have everywhere'
    if name.split(".", maxsplit=1)[0].lower() in _DEVICES:
        return "is that of a device on Windows"
    if name.lower().endswith(_ENDINGS):
        return f"ends in {' or '.join(_ENDINGS)}, which are not for the names of models"
    return None
