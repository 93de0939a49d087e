"""PDFs locked with a password, by the standard security handler (ISO 32000-1, 7.6.3; RC4, R 3)."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from tests.preprocessing import documents

if TYPE_CHECKING:
    from collections.abc import Sequence

_PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
_ID = b"0123456789abcdef"
_PERMISSIONS = -4
_ROUNDS = 50
_STREAM = re.compile(rb"stream\n(.*)\nendstream", re.DOTALL)


def rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    found, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        found.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(found)


def locked(drawings: Sequence[bytes], password: str, owner_password: str) -> bytes:
    """A document with a page for each drawing, opened by either password."""
    objects = documents.page_objects(drawings)
    user, owner = _padded(password), _padded(owner_password)
    owner_entry = _rounds(_stretched(owner), user)
    permissions = _PERMISSIONS.to_bytes(4, "little", signed=True)
    key = _stretched(user + owner_entry + permissions + _ID)
    user_entry = _rounds(key, hashlib.md5(_PADDING + _ID).digest()) + bytes(16)
    encrypted = [_encrypted(key, number, content) for number, content in enumerate(objects, 1)]
    lock = b"<</Filter/Standard /V 2 /R 3 /Length 128 /P %d /O<%s> /U<%s>>>" % (
        _PERMISSIONS,
        owner_entry.hex().encode(),
        user_entry.hex().encode(),
    )
    number, name = len(encrypted) + 1, _ID.hex().encode()
    trailer = b"/Root 1 0 R /Encrypt %d 0 R /ID[<%s><%s>]" % (number, name, name)
    return documents.assemble([*encrypted, lock], trailer)


def _padded(password: str) -> bytes:
    return (password.encode("latin-1") + _PADDING)[:32]


def _stretched(data: bytes) -> bytes:
    digest = hashlib.md5(data).digest()
    for _ in range(_ROUNDS):
        digest = hashlib.md5(digest).digest()
    return digest


def _rounds(key: bytes, data: bytes) -> bytes:
    for number in range(20):
        data = rc4(bytes(byte ^ number for byte in key), data)
    return data


def _encrypted(key: bytes, number: int, content: bytes) -> bytes:
    own = hashlib.md5(key + number.to_bytes(3, "little") + bytes(2)).digest()
    return _STREAM.sub(lambda found: b"stream\n%s\nendstream" % rc4(own, found[1]), content)
