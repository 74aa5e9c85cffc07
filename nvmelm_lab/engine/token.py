"""Replay tokens: one line of text that brings a run back, anywhere.

A token holds the scenario's plain parameters, the order of steps if one was chosen, and hashes of whatever else
the run depended on.  A token of another kit version, a damaged one, or one whose hashes do not fit is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

from nvmelm_lab.errors import InputError

PREFIX = "nvmelm1."


@dataclass(frozen=True, slots=True)
class Token:
    """What brings a run back.

    kit
        Version of the kit that made it.
    scenario
        Plain parameters (JSON values) of what was run.
    schedule
        ``["timed"]``, ``["random", seed]``, or ``["replay", names, options]``.
    hashes
        Name of an input that the token does not carry (a workload file, learner code) -> its SHA-256.
    """

    kit: str
    scenario: dict[str, Any]
    schedule: list[Any]
    hashes: dict[str, str] = field(default_factory=dict)


def encode_token(token: Token) -> str:
    """The token as one line of text without spaces."""
    body = json.dumps(
        [token.kit, token.scenario, token.schedule, token.hashes], sort_keys=True, separators=(",", ":")
    )
    packed = zlib.compress(body.encode(), 9)
    check = zlib.crc32(packed).to_bytes(4, "little")
    return PREFIX + base64.urlsafe_b64encode(check + packed).decode().rstrip("=")


def decode_token(text: str, *, kit: str) -> Token:
    """The token that `text` holds.

    Raises InputError when the text is damaged, cut short, or was made by another version than `kit`.
    """
    line = "".join(text.split())
    if not line.startswith(PREFIX):
        raise InputError(f"{_short(line)!r} is not a replay token; one begins with {PREFIX!r}")
    try:
        raw = base64.urlsafe_b64decode(line[len(PREFIX) :] + "=" * (-len(line[len(PREFIX) :]) % 4))
        check, packed = raw[:4], raw[4:]
        if zlib.crc32(packed).to_bytes(4, "little") != check:
            raise ValueError("its checksum does not fit")
        version, scenario, schedule, hashes = json.loads(zlib.decompress(packed))
    except (ValueError, binascii.Error, zlib.error) as error:
        raise InputError(
            f"the token {_short(line)!r} is damaged ({error}); copy the whole line again"
        ) from error
    if version != kit:
        raise InputError(
            f"the token was made by version {version} of the kit, this is {kit}; a run may differ"
        )
    return Token(version, scenario, schedule, hashes)


def _short(text: str) -> str:
    return text if len(text) <= 24 else text[:24] + "…"
