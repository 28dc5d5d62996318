"""Every secret of a configuration, so that the log knows what it must never say."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretStr

from bot.config.model import Config


def secrets_of(config: Config) -> frozenset[str]:
    """The values themselves; of an address with a password that password too."""
    return frozenset(form for secret in _found(config) for form in _forms(secret))


def _found(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _found(getattr(value, name))
    elif isinstance(value, dict):
        for each in value.values():
            yield from _found(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _found(each)


def _forms(secret: str) -> Iterator[str]:
    """An address without a password is no secret."""
    if "://" not in secret:
        yield secret
        return
    password = urlsplit(secret).password
    if password:
        yield from (secret, password, unquote(password))
