"""Both emulators as a process of their own: python -m tests.emulators.wecom --port 8091. People talk by lines of input.

`WangMin 诉求 …` says it to the bot, `WangMin @wrGroup 诉求 …` in that group, `WangMin !接单` presses the newest button
of that name in his chat, `WangMin ?` opens the chat. What the bot, the app and the robots say is written out.
"""

import argparse
import asyncio
import contextlib
import sys

from .aibot import AibotEmulator
from .api import WecomApiEmulator

CONFIG = """\
[channels.wecom_aibot]
bot_id = "{bot.bot_id}"
secret = "{bot.secret}"
name = "{bot.name}"
url = "{bot.url}"

[channels.wecom_app]
corp_id = "{core.corp_id}"
agent_id = {core.agent_id}
secret = "{core.secret}"
token = "{core.token}"
aes_key = "{core.aes_key}"
api_base = "{api.api_base}"

[channels.wecom_group]
webhooks = {{ "联企群" = "{robot}" }}
api_base = "{api.api_base}"
"""
ROBOT = "robot-of-the-group"


def write(line: str) -> None:
    """A line, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def talk(bot: AibotEmulator, api: WecomApiEmulator, line: str) -> None:
    """What somebody does, as one line says it; whoever is named is a member of the organisation from then on."""
    who, _, said = line.strip().partition(" ")
    bot.user(who)
    api.member(who, who)
    if said == "?":
        await bot.enters(who)
    elif said.startswith("!"):
        keys = {label: (one, key) for one in bot.seen(who) for label, key in one.buttons}
        assert said[1:] in keys, f"{who} sees {list(keys)}"
        await bot.presses(who, *keys[said[1:]])
    elif said.startswith("@"):
        chat, _, said = said[1:].partition(" ")
        if chat not in bot.world.groups:
            bot.group(chat, chat)
        await bot.says(who, said, chat=chat)
    elif said:
        await bot.says(who, said)


async def show(bot: AibotEmulator, api: WecomApiEmulator) -> None:
    """Whatever becomes visible, by chat."""
    shown = [0, 0, 0]
    while True:
        await asyncio.sleep(0.05)
        lines = [
            [f"{one.chat} <- {one.text} {[label for label, _ in one.buttons] or ''}" for one in bot.visible],
            [f"{'|'.join(one.to)} <- app: {one.text} {[label for label, _ in one.buttons] or ''}" for one in api.sent],
            [f"{one.key} <- robot: {one.text} @{','.join(one.mentioned)}" for one in api.posts],
        ]
        for place, told in enumerate(lines):
            for line in told[shown[place] :]:
                write(line)
            shown[place] = len(told)


async def serve(port: int) -> None:
    """Run until the input ends; the first lines of the output are the config that leads here."""
    bot = AibotEmulator()
    await bot.start(port)
    async with WecomApiEmulator() as api:
        api.robot(ROBOT)
        write(CONFIG.format(bot=bot, api=api, core=api.core, robot=ROBOT))
        showing = asyncio.create_task(show(bot, api))
        while line := await asyncio.to_thread(sys.stdin.readline):
            try:
                await talk(bot, api, line)
            except AssertionError as no:
                write(f"that cannot be done: {no}")
        showing.cancel()
    await bot.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="tests.emulators.wecom")
    parser.add_argument("--port", type=int, default=0)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args().port))
