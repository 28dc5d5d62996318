"""A channel in memory: what tests and benchmarks talk through, with every outcome of sending at their command."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.channel import Abilities, Desk, Parcel, PlainChannel, Update
from domain.chat import Attachment, Incoming


class MemoryChannel(PlainChannel):
    """Keeps what was sent; `failures` holds exceptions that the next sends raise, first come first."""

    name = "memory"

    def __init__(self, abilities: Abilities | None = None) -> None:
        self.abilities = abilities or Abilities()
        self.sent: list[Parcel] = []
        self.failures: list[Exception] = []
        self._received = 0

    async def run(self, desk: Desk) -> None:
        """Nothing to wait for: messages come by `say`."""

    async def say(self, desk: Desk, body: Mapping[str, Any]) -> None:
        """Somebody speaks: a body as `read` expects it, with an id of its own unless it has one."""
        self._received += 1
        message_id = str(body.get("message_id", f"in-{self._received}"))
        update = f"{message_id} edited {self._received}" if body.get("edited") else message_id
        await desk.receive(self.name, self.name, [Update(update, body["chat"], {**body, "message_id": message_id})])

    def read(self, body: Mapping[str, Any], at: datetime) -> Incoming | None:
        """The body is an Incoming in JSON; what it leaves out has the default."""
        files = tuple(Attachment(**attachment) for attachment in body.get("attachments", ()))
        plain = {key: value for key, value in body.items() if key != "attachments"}
        return Incoming(channel=self.name, account=self.name, attachments=files, sent_at=at, **plain)

    async def send(self, parcel: Parcel) -> str:
        """Keep it, or fail as told."""
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(parcel)
        return f"out-{parcel.id}"
