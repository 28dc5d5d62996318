"""A stand-in for api.telegram.org that runs on this machine and keeps the platform's rules."""

from .core import Call, Sent
from .emulator import TelegramEmulator
from .faults import Fault
from .limits import Limits, Rate
from .world import Chat, Upload, User

__all__ = ["Call", "Chat", "Fault", "Limits", "Rate", "Sent", "TelegramEmulator", "Upload", "User"]
