"""A stand-in for qyapi.weixin.qq.com that runs on this machine and keeps the platform's rules."""

from .callbacks import Callback
from .core import Member, Post, Sent
from .emulator import WecomApiEmulator
from .faults import Fault

__all__ = ["Callback", "Fault", "Member", "Post", "Sent", "WecomApiEmulator"]
