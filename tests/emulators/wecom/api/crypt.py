"""The cipher of callbacks, as the platform's side uses it: SHA-1 signature, AES-256-CBC, PKCS#7 to 32 bytes."""

import base64
import hashlib
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32


def signature(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    """msg_signature of a callback."""
    return hashlib.sha1("".join(sorted((token, timestamp, nonce, encrypted))).encode()).hexdigest()


def encrypt(aes_key: str, text: bytes, receiver: str, *, padding: bytes | None = None) -> str:
    """Base64 of the cipher text; `padding` in place of the right one where a test wants it wrong."""
    key = base64.b64decode(aes_key + "=")
    plain = os.urandom(16) + struct.pack(">I", len(text)) + text + receiver.encode()
    missing = BLOCK - len(plain) % BLOCK
    return seal(key, plain + (bytes([missing]) * missing if padding is None else padding))


def seal(key: bytes, plain: bytes) -> str:
    """Whole blocks of 16 bytes, encrypted."""
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()
