"""Settings: frozen, read once, from the environment (prefix HEDGEHOG_) and DATABASE_URL."""

import ipaddress
import re
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything that differs between two installations."""

    model_config = SettingsConfigDict(env_prefix="HEDGEHOG_", frozen=True, extra="ignore", env_file=None)

    token: SecretStr = Field(default=SecretStr(""), description="The bot's token from BotFather.")
    data: Path = Field(default=Path("data"), description="Folder for the SQLite databases.")
    database_url: str = Field(
        default="",
        validation_alias=AliasChoices("DATABASE_URL", "HEDGEHOG_DATABASE_URL"),
        description="PostgreSQL address (postgresql://…); empty means SQLite in the data folder.",
    )
    replica: str = Field(
        default="main", description="This replica's stable name: its unfinished work resumes under it."
    )
    telegram_url: str = Field(default="https://api.telegram.org", description="Base address of the Bot API.")
    webhook_url: str = Field(
        default="", description="Public https address for webhooks; empty means long polling."
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Secret that Telegram sends with each webhook: letters, digits, _ and -.",
    )
    master_key: SecretStr = Field(
        default=SecretStr(""), description="The master key of the exchange keys at rest; better in a file."
    )
    master_key_file: Path | None = Field(
        default=None, description="Its file, of mode 0600. With neither, no exchange can be connected."
    )
    listen_host: str = Field(default="127.0.0.1", description="Where webhook, health and metrics listen.")
    listen_port: int = Field(default=0, ge=0, le=65535, description="0 means that nothing listens.")
    market: Literal["sandbox", "binance", "bybit", "bingx", "mexc", "weex"] = Field(
        default="binance", description="Where the prices of paper accounts come from."
    )
    sandbox_url: str = Field(
        default="",
        description="Address of the sandbox, which then stands in for every exchange; only the demo sets it.",
    )
    practice_exchange: Literal["", "binance", "bybit", "bingx", "mexc", "weex"] = Field(
        default="",
        description="The demo only: where new people trade, with keys that the sandbox makes for them.",
    )
    clock_file: Path | None = Field(
        default=None,
        description="The demo only: a file with the seconds by which its clock is ahead of the machine's.",
    )
    public_address: str = Field(
        default="",
        description="This machine's public IP address, shown to people for the address lists of their keys.",
    )
    assets: Path | None = Field(
        default=None,
        description="A CSV of name,asset,units,kind: wrapped, staked and renamed coins besides the known ones.",
    )
    tick_seconds: float = Field(default=60, gt=0, description="Seconds between two ticks of the watch.")
    tick_shards: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Into how many parts a tick divides people, one for every 20,000; alike on all replicas.",
    )
    card_seconds: float = Field(default=300, gt=0, description="How long a proposal may be confirmed.")
    kill_at: str = Field(default="", description="Tests only: die by SIGKILL at this point.")

    @field_validator("master_key_file", "clock_file", "assets", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None

    @cached_property
    def database(self) -> str:
        """The SQLAlchemy address of the application's tables."""
        if not self.database_url:
            return f"sqlite+aiosqlite:///{self.data / 'hedgehog.sqlite'}"
        return _with_driver(self.database_url, "postgresql+psycopg")

    @cached_property
    def engine_database(self) -> str:
        """The SQLAlchemy address of the durable engine's own tables."""
        if not self.database_url:
            return f"sqlite:///{self.data / 'engine.sqlite'}"
        return _with_driver(self.database_url, "postgresql+psycopg")

    @cached_property
    def webhook_trouble(self) -> str:
        """Why webhooks could not come in, and what to do, in one sentence; empty when nothing is wrong."""
        if not self.webhook_url:
            return ""
        if not self.webhook_secret.get_secret_value():
            return f"Set HEDGEHOG_WEBHOOK_SECRET, {_SECRET_IS}: without it I could not tell Telegram from anybody else."
        if not _SECRET.fullmatch(self.webhook_secret.get_secret_value()):
            return f"HEDGEHOG_WEBHOOK_SECRET must be {_SECRET_IS}."
        if not self.listen_port:
            return "Set HEDGEHOG_LISTEN_PORT to the port that HEDGEHOG_WEBHOOK_URL leads to: nothing would listen."
        return _address_trouble(self.webhook_url, own_server=not _is_telegrams(self.telegram_url))


_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_SECRET_IS = "1 to 256 letters, digits, _ or -"
_TELEGRAMS_PORTS = (443, 80, 88, 8443)


def _is_telegrams(url: str) -> bool:
    return (urlsplit(url).hostname or "").endswith("telegram.org")


def _address_trouble(url: str, *, own_server: bool) -> str:
    """`own_server`: the Bot API is not Telegram's but one's own, which takes any address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("https", "http") or not host:
        return "HEDGEHOG_WEBHOOK_URL must be a whole address, like https://bot.example.org/webhook."
    if own_server:
        return ""
    if parts.scheme == "http":
        return "HEDGEHOG_WEBHOOK_URL must begin with https://: Telegram sends to no other address."
    if port is not None and port not in _TELEGRAMS_PORTS:
        ports = ", ".join(map(str, _TELEGRAMS_PORTS))
        return f"HEDGEHOG_WEBHOOK_URL names port {port}, and Telegram sends only to {ports}."
    if not _is_public(host):
        return f"HEDGEHOG_WEBHOOK_URL leads to {host}, which Telegram cannot reach: give this machine's public name."
    return ""


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".localhost", ".local", ".internal"))


def _with_driver(url: str, driver: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise ValueError("DATABASE_URL must begin with postgresql://, or be empty for SQLite.")
    return f"{driver}://{rest}"
