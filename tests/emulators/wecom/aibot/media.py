"""Files on their way in, enciphered behind short-lived links, and on their way out, in chunks."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .codes import INVALID_MEDIA, Refused, offence
from .commands import CHUNK

BLOCK = 32  # bytes to which the platform pads


@dataclass(frozen=True, slots=True)
class File:
    """A file as a person sees it; `kind` is file, image, voice or video."""

    kind: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """An enciphered file behind a link."""

    file: File
    key: bytes
    sealed: bytes
    at: float


@dataclass(slots=True)
class Uploading:
    """A file of which chunks arrive."""

    kind: str
    name: str
    size: int
    chunks: int
    md5: str | None
    at: float
    parts: dict[int, bytes] = field(default_factory=dict)


def encipher(content: bytes, key: bytes) -> bytes:
    """AES-256-CBC, the key's first half as IV, PKCS#7 to 32 bytes."""
    pad = BLOCK - len(content) % BLOCK
    worker = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return worker.update(content + bytes([pad]) * pad) + worker.finalize()


@dataclass(slots=True)
class Media:
    """All files of the platform around one bot."""

    link: float
    upload: float
    keep: float
    stored: dict[str, Stored] = field(default_factory=dict)
    uploads: dict[str, Uploading] = field(default_factory=dict)
    ready: dict[str, tuple[File, float]] = field(default_factory=dict)

    def put(self, file: File, now: float) -> tuple[str, str]:
        """Keep a file of a person: the name behind its link, and its aeskey as the platform spells it."""
        key, name = secrets.token_bytes(32), secrets.token_hex(8)
        self.stored[name] = Stored(file, key, encipher(file.content, key), now)
        return name, base64.b64encode(key).decode().rstrip("=")

    def get(self, name: str, now: float) -> Stored | None:
        """The file behind a link, while the link lives."""
        found = self.stored.get(name)
        return found if found and now - found.at < self.link else None

    def begin(self, body: dict[str, Any], now: float) -> str:
        """An upload is announced: its id."""
        size, chunks = body["total_size"], body["total_chunks"]
        if not chunks * CHUNK >= size > (chunks - 1):
            raise offence(f"{size} bytes in {chunks} chunks")
        upload = secrets.token_hex(8)
        self.uploads[upload] = Uploading(body["type"], body["filename"], size, chunks, body.get("md5"), now)
        return upload

    def under_way(self, upload: str, now: float) -> Uploading:
        """An upload that may go on."""
        found = self.uploads.get(upload)
        if found is None or now - found.at >= self.upload:
            raise Refused(INVALID_MEDIA, words="invalid upload_id")
        return found

    def add(self, body: dict[str, Any], now: float) -> None:
        """A chunk arrives; the same again does no harm."""
        found = self.under_way(body["upload_id"], now)
        if body["chunk_index"] >= found.chunks:
            raise offence(f"chunk {body['chunk_index']} of {found.chunks}")
        found.parts[body["chunk_index"]] = base64.b64decode(body["base64_data"])

    def finish(self, upload: str, now: float) -> tuple[str, str]:
        """The file is whole: its kind and media_id."""
        found = self.under_way(upload, now)
        missing = [number for number in range(found.chunks) if number not in found.parts]
        if missing:
            raise offence(f"chunk {missing[0]} never came")
        content = b"".join(found.parts[number] for number in range(found.chunks))
        if len(content) != found.size:
            raise offence(f"{len(content)} bytes came, {found.size} were announced")
        if found.md5 is not None and hashlib.md5(content).hexdigest() != found.md5.lower():
            raise offence("the md5 is another")
        del self.uploads[upload]
        media_id = f"media-{secrets.token_hex(8)}"
        self.ready[media_id] = File(found.kind, found.name, content), now
        return found.kind, media_id

    def take(self, media_id: str, kind: str, now: float) -> File:
        """The uploaded file that a message names."""
        found = self.ready.get(media_id)
        if found is None or now - found[1] >= self.keep or found[0].kind != kind:
            raise Refused(INVALID_MEDIA)
        return found[0]
