"""How rooms and posts look on the page: plain JSON with times already in the park's zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.web.context import WebContext
from domain.people import Person, Role
from domain.said import Said
from domain.verbs import Verb
from storage.posts import Author, Post, Room
from storage.sessions import Account

_CONTACT = (Verb.APPEAL, Verb.INQUIRE, Verb.MINE, Verb.HELP)
_OFFICE = (Verb.TODO, Verb.STATUS, Verb.PROGRESS, Verb.HELP)
_COORDINATOR = (Verb.TODO, Verb.DIGEST, Verb.LEDGER, Verb.STATUS, Verb.HELP)
_GUEST = (Verb.APPEAL, Verb.INQUIRE, Verb.BIND, Verb.HELP)
_TAKES_TEXT = frozenset({Verb.APPEAL, Verb.INQUIRE, Verb.BIND, Verb.STATUS, Verb.PROGRESS})
_EXCERPT = 60


@dataclass(frozen=True, slots=True)
class View:
    """What one account is shown."""

    context: WebContext
    account: Account

    def say(self, said: Said) -> str:
        """A sentence in the language of the account."""
        return self.context.say(said, self.account.language)

    def room(self, room: Room, last: Post | None) -> dict[str, Any]:
        """A line of the list of rooms."""
        name = self.say(Said("web.private_room")) if room.private else room.name
        return {
            "id": room.id,
            "name": name,
            "note": self._note(room),
            "private": room.private,
            "unread": room.unread,
            "newest": room.last,
            "last": self.excerpt(last) if last else None,
        }

    def _note(self, room: Room) -> str:
        if room.private:
            return self.say(Said("web.private_note"))
        return self.say(Said(f"purpose.{room.purpose}")) if room.purpose else ""

    def excerpt(self, post: Post) -> dict[str, Any]:
        """The last words of a room."""
        text = self._words(post.body)[:_EXCERPT]
        return {"text": text, "who": self.author(post.author), **self._when(post.posted_at)}

    def post(self, post: Post) -> dict[str, Any]:
        """A post as the page shows it."""
        return {
            "id": post.id,
            "room": post.chat_id,
            "who": self.author(post.author),
            "text": post.body["text"],
            "keys": post.body["keys"],
            "files": post.body["files"],
            "quote": self._quote(post),
            "edited": post.edited,
            **self._when(post.posted_at),
        }

    def author(self, author: Author) -> dict[str, Any]:
        """Who speaks: the bot, the account itself, or somebody else with his firm or part."""
        if author.account_id is None:
            return {"kind": "bot", "name": self.say(Said("web.bot")), "note": ""}
        kind = "me" if author.account_id == self.account.id else "firm" if author.firm or not author.role else "office"
        return {"kind": kind, "name": author.name or self.say(Said("web.guest")), "note": self._part(author)}

    def _part(self, author: Author) -> str:
        if author.firm:
            return author.firm
        return self.say(Said(f"role.{author.role}")) if author.role else self.say(Said("web.guest"))

    def _quote(self, post: Post) -> dict[str, Any] | None:
        if post.reply_to is None:
            return None
        name = post.quoted_name or self.say(Said("web.bot"))
        return {"id": post.reply_to, "name": name, "text": post.quoted[:_EXCERPT] or self.say(Said("web.page.file"))}

    def _words(self, body: Mapping[str, Any]) -> str:
        """The text of a post on one line; a post without words is named by its files."""
        text = " ".join(str(body["text"]).split())
        return text or " ".join(f"[{file['name']}]" for file in body["files"])

    def _when(self, at: datetime) -> dict[str, str]:
        return {
            "at": at.isoformat(),
            "day": self.say(Said("web.day", {"at": at})),
            "time": self.say(Said("web.time", {"at": at})),
        }

    def chips(self, person: Person | None) -> list[dict[str, Any]]:
        """The commands offered above the composer; those that need a text wait for it there."""
        language = self.account.language or self.context.rules.language
        words = self.context.catalogue
        return [
            {
                "label": words.label(verb, language),
                "text": words.word(verb, language) + (" " if verb in _TAKES_TEXT else ""),
                "send": verb not in _TAKES_TEXT,
            }
            for verb in _chips(person)
        ]


def _chips(person: Person | None) -> tuple[Verb, ...]:
    if person is None:
        return _GUEST
    if person.has(Role.COORDINATOR):
        return _COORDINATOR
    return _OFFICE if person.in_office else _CONTACT
