"""The configuration of a park: config.toml and the environment, read into one checked value."""

from bot.config.hidden import secrets_of
from bot.config.loading import load_config
from bot.config.model import Config
from bot.config.problems import ConfigError, Problem

__all__ = ["Config", "ConfigError", "Problem", "load_config", "secrets_of"]
