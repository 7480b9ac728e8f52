"""What a pipe and shared memory share: bytes as a scenario gives them and as a trace shows them."""

from __future__ import annotations

from typing import Any

from mpflow.kinds import Argument

_LONGEST = 1000  # characters of a value in a trace
BYTES = Argument("value", "value", "bytes, or a text: its UTF-8", required=True)


def encoded(value: Any) -> Any:
    """What is sent or stored: a text's UTF-8, anything else itself."""
    return value.encode() if isinstance(value, str) else value


def raw(value: object) -> str:
    """Bytes as a trace shows them, wherever they come from: their repr, cut if it is too long."""
    text = repr(encoded(value)) if isinstance(value, str | bytes | bytearray) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
