"""What may be sent along: files are known by their first bytes, never by name or by what the browser claims."""

from dataclasses import dataclass

from starlette.datastructures import UploadFile

from bot.media import media_type_of
from bot.web.trouble import Trouble
from domain.said import Said
from domain.words import shown_file

MOST_FILES = 10
MOST_BYTES = 20 * 1024 * 1024
SHOWN_IN_PLACE = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that may be kept."""

    name: str
    media_type: str
    content: bytes


async def read_upload(part: UploadFile) -> Upload:
    """One file out of a form; raises Trouble for one that is empty, too large or of a kind that is not taken."""
    name = shown_file(part.filename or "")
    content = await part.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise Trouble(413, Said("web.error.file_too_large", {"name": name}))
    if not content:
        raise Trouble(415, Said("web.error.file_empty", {"name": name}))
    media_type = media_type_of(content)
    if media_type is None:
        raise Trouble(415, Said("web.error.file_kind", {"name": name}))
    return Upload(name, media_type, content)
