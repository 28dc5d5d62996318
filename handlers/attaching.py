"""How many files a matter takes: what is beyond stays with its platform, and whoever sent it hears so."""

from dataclasses import replace

from domain.access import WITH_APPEAL
from domain.chat import LostFile
from domain.errors import Refused, Unfetched
from domain.said import Said
from domain.verbs import INTAKE
from handlers.router import Ask, Overheard, Request
from storage import binding, history

MOST_FILES = 50
"""Ten come at once; a matter that takes months, with what both sides bring, needs a few times as many."""


async def need_files(request: Request, besides: int = 0) -> Request:
    """The request with those files that its matter still takes; `besides`: so many are in hand already.

    What is beyond is lost, with its reason. Unfetched where a file to be taken is still with its platform.
    """
    if not request.attachments:
        return request
    room = max(MOST_FILES - besides - await _held(request), 0)
    taken, beyond = request.attachments[:room], request.attachments[room:]
    if remotes := [file.remote for file in taken if file.remote]:
        raise Unfetched(remotes)
    if not beyond:
        return request
    lost = [LostFile(file.name, Said("file.too_many", {"most": MOST_FILES})) for file in beyond]
    return replace(
        request, attachments=taken, message=replace(request.message, lost=(*request.message.lost, *lost))
    )


async def _held(request: Request) -> int:
    """How many files there are where these would go."""
    if request.person is None:
        new = request.verb in INTAKE
        return 0 if new else await binding.count_files(request.tx, request.account_id, request.chat.id, request.at)
    if request.verb not in WITH_APPEAL:
        return 0
    try:
        appeal = await request.known()
    except (Ask, Refused, Overheard):
        return 0
    return await history.count_files(request.tx, appeal.id) if appeal.id is not None else 0
