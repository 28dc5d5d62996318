"""The chat platforms that lianqi can speak through, one line each: name in config, and what makes the channel."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

CHANNELS: Mapping[str, str] = {
    "web": "bot.channels.web:WebChannel",
}


def channel_maker(name: str) -> Any:
    """What makes the channel of that name, imported only now, so that a platform that is off costs nothing."""
    module, _, maker = CHANNELS[name].partition(":")
    return getattr(import_module(module), maker)
