"""The chat platforms that lianqi can speak through, one line each: name in config, and what makes the channel."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from bot.channel import Channel
from domain.said import Said

CHANNELS: Mapping[str, str] = {
    "web": "bot.channels.web:make",
    "telegram": "bot.channels.telegram:make",
    "wecom_aibot": "bot.channels.wecom_aibot:make",
    "wecom_app": "bot.channels.wecom_app:make",
    "wecom_group": "bot.channels.wecom_group:make",
}

Menu = Mapping[str, Sequence[tuple[str, str]]]
"""(description, command) by language; "" stands for every other language."""


@dataclass(frozen=True, slots=True)
class Kit:
    """What a channel is made of. `settings` is its section of config.toml; `board` is where the web chat's posts stand.

    `public_url` is where the web pages answer; `say` puts what the channel itself has to say into the park's language.
    `strangers` and `groups` are the commands to
    be listed for whom nobody knows yet, and in groups.
    """

    settings: Any
    say: Callable[[Said], str]
    board: Any = None
    strangers: Menu = field(default_factory=dict)
    groups: Menu = field(default_factory=dict)
    public_url: str = ""


def make_channel(name: str, kit: Kit) -> Channel:
    """The channel of that name, imported only now, so that a platform that is off costs nothing."""
    module, _, maker = CHANNELS[name].partition(":")
    made: Channel = getattr(import_module(module), maker)(kit)
    return made
