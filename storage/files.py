"""Files that people sent, each kept once under the hash of its content."""

import hashlib
from datetime import datetime

from storage.database import Row, Tx
from storage.values import to_ms


async def keep(tx: Tx, content: bytes, media_type: str, at: datetime) -> str:
    """Keep a file; its sha256 in hex."""
    content_hash = hashlib.sha256(content).hexdigest()
    await tx.run(
        """INSERT INTO files(hash, media_type, size, content, kept_at) VALUES (:hash, :type, :size, :content, :at)
           ON CONFLICT (hash) DO NOTHING""",
        {"hash": content_hash, "type": media_type, "size": len(content), "content": content, "at": to_ms(at)},
    )
    return content_hash


async def fetch(tx: Tx, content_hash: str) -> Row | None:
    """The file with `media_type`, `size` and `content`."""
    return await tx.one("SELECT media_type, size, content FROM files WHERE hash = :hash", {"hash": content_hash})
