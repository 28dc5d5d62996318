"""WeCom's group robots as a channel that only speaks: they call a person by name where the smart bot cannot."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.channel import Abilities, Desk, Finding, Pace, Parcel, PlainChannel, Undeliverable, Unsent, Window
from bot.channels import Kit
from bot.channels.pieces import pieces
from bot.channels.qyapi import TOO_OFTEN, WAIT_SECONDS, ApiError, Denied, Wire, outcome
from domain.chat import Incoming
from domain.said import Said

_log = logging.getLogger(__name__)

NAME = "wecom_group"
MOST_TEXT = 2048
PACE = Pace(overall=10, chat_seconds=1.0, windows=(Window(20, 60.0),))
"""A robot may say 20 things a minute (page 99110)."""
ABILITIES = Abilities(buttons=False, edits=False, files=False, pace=PACE)
WRONG_KEY = 93000
_EMPTY = b'{"msgtype":"text","text":{"content":""}}'
"""What no robot says: it is refused for its emptiness, or before that for the key."""


class WecomGroup(PlainChannel):
    """The robots of some groups: `webhooks` are their keys by the group's name or chat id, which is the chat here."""

    name = NAME

    def __init__(self, webhooks: Mapping[str, str], api_base: str, *, pace: Pace | None = PACE) -> None:
        self.abilities = replace(ABILITIES, pace=pace)
        self._webhooks = webhooks
        self._wire = Wire(api_base)

    async def run(self, desk: Desk) -> None:
        """Nothing comes in: a robot hears nothing."""
        await desk.speak_in(NAME, tuple(self._webhooks))
        await asyncio.Event().wait()

    def read(self, body: Mapping[str, Any], at: datetime) -> Incoming | None:
        """Nothing."""
        return None

    def parts(self, parcel: Parcel) -> Sequence[Parcel]:
        """Pieces of the text, the first calls; buttons and files have no place here."""
        texts = pieces(_text(parcel), MOST_TEXT)
        bare = replace(parcel, keys=(), documents=())
        found = [replace(bare, text=text, mention=None if number else parcel.mention, part=number)
                 for number, text in enumerate(texts)]  # fmt: skip
        return tuple(found) or (bare,)

    async def send(self, parcel: Parcel) -> str:
        """One call; robots give their messages no ids."""
        if parcel.kind != "send":
            raise Undeliverable(f"a robot has no {parcel.kind}")
        key = self._webhooks.get(parcel.chat)
        if key is None:
            raise Undeliverable("this group has no robot any more", unreachable=True)
        called = [parcel.mention.user] if parcel.mention else []
        text = {"content": parcel.text, **({"mentioned_list": called} if called else {})}
        body = json.dumps({"msgtype": "text", "text": text}, ensure_ascii=False).encode()
        try:
            await self._wire.ask("webhook/send", {"key": key}, body)
        except Denied as denied:
            raise _refusal(denied) from None
        except ApiError as error:
            raise outcome(error) from None
        return f"robot-{parcel.id}-{parcel.part}"

    async def examine(self, groups: Mapping[str, str]) -> Sequence[Finding]:
        """Keys that no robot has, names that no group of the smart bot's has, groups in which nobody can be called."""
        found: list[Finding] = []
        for group, key in self._webhooks.items():
            if group not in groups and group not in groups.values():
                found.append(Finding(Said("check.wecom_group_unknown", {"group": group})))
            found += await self._try_key(group, key)
        found += [
            Finding(Said("check.wecom_group_none", {"group": name or chat}))
            for chat, name in groups.items()
            if not {chat, name} & set(self._webhooks)
        ]
        return found

    async def _try_key(self, group: str, key: str) -> list[Finding]:
        try:
            await self._wire.ask("webhook/send", {"key": key}, _EMPTY)
        except Denied as denied:
            if denied.code == WRONG_KEY:
                return [Finding(Said("check.wecom_group_key", {"group": group}), must=True)]
        except ApiError as error:
            return [Finding(Said("check.wecom_network", {"cause": str(error)}), must=True)]
        return []

    async def close(self) -> None:
        """Close all connections."""
        await self._wire.close()


def _text(parcel: Parcel) -> str:
    """The words without the sign of the call, which WeCom sets itself."""
    if parcel.mention is None:
        return parcel.text
    return parcel.text.replace(f"@{parcel.mention.words}", parcel.mention.words, 1)


def _refusal(denied: Denied) -> Exception:
    if denied.code == WRONG_KEY:
        _log.error("a group robot is gone: %s", denied)
        return Undeliverable(str(denied), unreachable=True)
    if denied.code in TOO_OFTEN:
        return Unsent(str(denied), seconds=WAIT_SECONDS)
    return outcome(denied)


def make(kit: Kit) -> WecomGroup:
    """The robots of [channels.wecom_group]."""
    settings = kit.settings
    keys = {group: key.get_secret_value() for group, key in settings.webhooks.items()}
    return WecomGroup(keys, settings.api_base)
