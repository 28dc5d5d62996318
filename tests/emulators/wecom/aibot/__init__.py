"""A stand-in for enterprise WeChat's smart bot with its long connection, that keeps the platform's rules.

    async with AibotEmulator(clock=...) as emulator:            # emulator.url, .bot_id, .secret, .name
        zhang = emulator.user("ZhangJG", "张建国")               # wrote=True: he wrote to the bot before
        emulator.group("wrGROUP", "大树营联企群", zhang)          # spoken=True: the bot was called there before
        await emulator.until_connected()
        await emulator.says(zhang, "诉求 停电", chat="wrGROUP", images=[b"..."])
        await emulator.until_visible(1)
        card = emulator.seen(zhang)[-1]                          # .text .buttons .kind .card .file .answers
        await emulator.presses(zhang, card, card.buttons[0][1])
        await emulator.enters(zhang)
        assert emulator.offences == []

What goes wrong on demand: drop, close, silence, forget (846609), kick, garbage, refuse_connects, duplicate, lose_acks,
revoke, and fault(cmd, code=..., effect=..., answer=..., delay=..., times=...) for single frames or media downloads.

What nobody outside knows, and how it is here: callbacks to a bot that is not connected are lost (`faults.hold` keeps
them); a stale or foreign req_id is 846605; what the bot wrote is quoted as text, without an id; each refresh of a
stream counts against the quota; the update of a card does not; a task_id is used up once its card is visible,
and the same card again is refused with 40058 and the words "duplicate task_id", without being an offence;
markdown keeps its line breaks, and a backslash before punctuation takes its meaning as a mark away.
"""

from .cards import card_text
from .commands import Frame
from .core import Sent
from .emulator import AibotEmulator
from .faults import Fault, Faults
from .limits import Limits, Rate
from .media import File, encipher
from .reading import plain
from .world import Group, Spoken, Visible

__all__ = [
    "AibotEmulator",
    "Fault",
    "Faults",
    "File",
    "Frame",
    "Group",
    "Limits",
    "Rate",
    "Sent",
    "Spoken",
    "Visible",
    "card_text",
    "encipher",
    "plain",
]
