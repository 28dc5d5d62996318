"""What Telegram needs to know of the bot, and what the coordinator needs to know of Telegram."""

import logging
from collections.abc import Mapping, Sequence

from telegram import (
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeDefault,
    User,
    WebhookInfo,
)
from telegram.constants import ChatMemberStatus
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, TelegramError

from bot.channel import Finding
from bot.channels import Menu
from bot.channels.telegram.api import Api
from domain.said import Said

_log = logging.getLogger(__name__)

_AWAY = (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED)


async def set_menus(api: Api, strangers: Menu, groups: Menu) -> None:
    """Tell Telegram the lists of commands for whom it shows no other; a bot without them works as well."""
    scopes: Sequence[tuple[BotCommandScope, Menu]] = (
        (BotCommandScopeDefault(), strangers),
        (BotCommandScopeAllPrivateChats(), strangers),
        (BotCommandScopeAllGroupChats(), groups),
    )
    try:
        for scope, by_language in scopes:
            for language, lines in by_language.items():
                commands = [BotCommand(command, description) for description, command in lines]
                await api.bot.set_my_commands(commands, scope=scope, language_code=language or None)
    except TelegramError as error:
        _log.warning("the lists of commands could not be set: %s", error)


async def examine(api: Api, groups: Mapping[str, str], webhook_url: str) -> Sequence[Finding]:
    """What will not arrive, and what to press; `webhook_url` is "" where updates are polled."""
    try:
        me = await api.bot.get_me()
        hook = await api.bot.get_webhook_info()
    except InvalidToken:
        return [Finding(Said("check.telegram_token"), must=True)]
    except TelegramError as error:
        return [Finding(Said("check.telegram_network", {"cause": str(error)}), must=True)]
    found = [Finding(Said("check.telegram_bot", {"name": f"@{me.username}", "link": f"https://t.me/{me.username}"}))]
    found += _about_bot(me)
    found += _about_webhook(hook, webhook_url)
    for chat, name in groups.items():
        found += await _about_group(api, me, chat, name)
    return found


def _about_bot(me: User) -> list[Finding]:
    if me.can_join_groups:
        return []
    return [Finding(Said("check.telegram_no_groups", {"name": f"@{me.username}"}), must=True)]


def _about_webhook(hook: WebhookInfo, wanted: str) -> list[Finding]:
    if not wanted:
        return [Finding(Said("check.telegram_webhook_set"))] if hook.url else []
    if hook.url and hook.url != wanted:
        return [Finding(Said("check.telegram_webhook_elsewhere"))]
    if hook.last_error_message:
        return [Finding(Said("check.telegram_webhook_fails", {"cause": hook.last_error_message}), must=True)]
    return []


async def _about_group(api: Api, me: User, chat: str, name: str) -> list[Finding]:
    """Whether the bot is in the group, and hears what is said there."""
    group = {"group": name}
    try:
        member = await api.bot.get_chat_member(int(chat), me.id)
    except ChatMigrated as moved:
        return await _about_group(api, me, str(moved.new_chat_id), name)
    except (BadRequest, Forbidden):
        return [Finding(Said("check.telegram_not_in", group), must=True)]
    except TelegramError as error:
        return [Finding(Said("check.telegram_network", {"cause": str(error)}), must=True)]
    if member.status in _AWAY:
        return [Finding(Said("check.telegram_not_in", group), must=True)]
    if member.status != ChatMemberStatus.ADMINISTRATOR and not me.can_read_all_group_messages:
        return [Finding(Said("check.telegram_hears_little", group))]
    return []
