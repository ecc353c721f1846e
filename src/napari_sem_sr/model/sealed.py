"""Safetensors files that notice when a byte of them has changed; needs no torch.

A safetensors file is the length of its header, the header (JSON), then the numbers. It has no checksum of its own, so one over
all the rest is put into the header's metadata, where any reader of the format ignores it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

META = "__metadata__"
SEAL = "checksum"


def sealed(content: bytes) -> bytes:
    """Content of a safetensors file, with a checksum in its metadata.

    Parameters
    ----------
    content
        Bytes of a safetensors file.
    """
    header, numbers = _parts(content)
    header[META] = {**header.get(META, {}), SEAL: _checksum(header, numbers)}
    text = json.dumps(header, separators=(",", ":")).encode()
    # the numbers begin at a multiple of eight
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + numbers


def unsealed(content: bytes) -> Mapping[str, str]:
    """Metadata of a file that is as it was written.

    Parameters
    ----------
    content
        Bytes of a file that `sealed` made.

    Raises
    ------
    ValueError
        If a byte has changed since, or it was never sealed.
    """
    header, numbers = _parts(content)
    metadata: dict[str, str] = header.get(META, {})
    if metadata.get(SEAL) != _checksum(header, numbers):
        raise ValueError("its checksum does not fit")
    return metadata


def _parts(content: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    if not isinstance(header, dict) or not isinstance(header.get(META, {}), dict):
        raise ValueError("its header is no mapping")  # noqa: TRY004
    return header, content[8 + length :]


def _checksum(header: Mapping[str, Any], numbers: bytes) -> str:
    metadata = {k: v for k, v in header.get(META, {}).items() if k != SEAL}
    digest = hashlib.blake2b(digest_size=20)
    digest.update(json.dumps({**header, META: metadata}, sort_keys=True).encode())
    digest.update(numbers)
    return digest.hexdigest()
