"""Opens what WeCom sends to the callback address: signature first, then AES; every failure looks the same."""

import base64
import binascii
import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32
_HEAD = 20  # 16 random bytes, 4 for the length


class Forged(Exception):
    """Not from WeCom, not for us, or not whole; which of them is never told."""


def is_signed(token: str, given: str, timestamp: str, nonce: str, encrypted: str) -> bool:
    """Whether the signature is that of somebody who knows the token; compared in constant time."""
    parts = sorted((token, timestamp, nonce, encrypted))
    wanted = hashlib.sha1("".join(parts).encode(), usedforsecurity=False).hexdigest()  # SHA-1 is the platform's choice
    return hmac.compare_digest(wanted.encode(), given.encode())


def decrypt(aes_key: str, encrypted: str, receiver: str) -> bytes:
    """The text for this receiver; Forged for anything else, after the same steps whatever is wrong with it."""
    plain = _blocks(aes_key, encrypted)
    padding = plain[-1]
    good = 1 <= padding <= BLOCK
    good &= plain.endswith(bytes([padding]) * padding)
    end = len(plain) - padding if good else len(plain)
    (length,) = struct.unpack(">I", plain[16:_HEAD])
    good &= _HEAD + length <= end
    good &= hmac.compare_digest(plain[_HEAD + length : end], receiver.encode())
    if not good:
        raise Forged("not a callback of ours")
    return plain[_HEAD : _HEAD + length]


def _blocks(aes_key: str, encrypted: str) -> bytes:
    key = base64.b64decode(aes_key + "=")
    try:
        sealed = base64.b64decode(encrypted, validate=True)
    except (binascii.Error, ValueError):
        sealed = b""
    if len(sealed) < 2 * BLOCK or len(sealed) % 16:
        raise Forged("not a callback of ours")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    return decryptor.update(sealed) + decryptor.finalize()
