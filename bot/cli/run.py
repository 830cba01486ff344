"""`hedgehog run` and `hedgehog migrate`."""

import asyncio
import importlib
import logging
import signal
import threading
from urllib.parse import unquote, urlsplit

from bot import redaction
from bot.bootstrap import Bot, NotConfigured, Parts, running
from bot.chat.polling import TokenRefused
from bot.ports.vault import Vault
from bot.settings import Settings

log = logging.getLogger(__name__)

_LARGE = (
    "apscheduler.schedulers.asyncio",
    "bot.chat.application",
    "bot.chat.notifier",
    "bot.exchange.exchanges",
    "bot.storage.vault",
    "bot.web.app",
    "bot.web.server",
    "dbos",
)


def serve(parts: Parts | None = None) -> None:
    """Until SIGTERM or Ctrl-C."""
    settings = Settings()
    _keep_secrets_out_of_logs(settings)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("apscheduler", "dbos", "alembic", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    _import_what_is_large()
    asyncio.run(_serve(settings, parts or Parts()))


def _import_what_is_large() -> None:
    """Before there is an event loop that it could hold up; ccxt, which takes seconds, beside it."""
    for module in _LARGE:
        importlib.import_module(module)
    threading.Thread(target=importlib.import_module, args=("ccxt.async_support",), daemon=True).start()


def _keep_secrets_out_of_logs(settings: Settings) -> None:
    redaction.hide(*(secret.get_secret_value() for secret in (settings.token, settings.webhook_secret)))
    redaction.hide(*settings.master_key.get_secret_value().replace(",", " ").split())
    password = urlsplit(settings.database_url).password
    if password and len(password) >= 8:  # in an address it is masked anyway; a short one may be any word
        redaction.hide(password, unquote(password))
    redaction.install()


async def _serve(settings: Settings, parts: Parts) -> None:
    try:
        await _until_stopped(settings, parts)
    except* TokenRefused as refused:
        raise NotConfigured(str(refused.exceptions[0])) from None


async def _until_stopped(settings: Settings, parts: Parts) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(settings, parts) as bot:
        log.info("hedgehog serves as replica %s", settings.replica)
        await _say_if_read_only(bot.vault)
        async with asyncio.TaskGroup() as tasks:
            if settings.listen_port:
                tasks.create_task(_listen(bot, stop))
            if settings.webhook_url:
                secret = settings.webhook_secret.get_secret_value()
                await bot.shell.start(webhook_url=settings.webhook_url, webhook_secret=secret)
                tasks.create_task(bot.shell.watch_webhook(stop))
            else:
                tasks.create_task(bot.shell.run_polling(stop))
            await stop.wait()
        log.info("hedgehog stops")


async def _say_if_read_only(vault: Vault) -> None:
    reason = await vault.read_only()
    if reason:
        waiting = len(await vault.sealed())
        log.log(
            logging.WARNING if waiting else logging.INFO, "%s Accounts that wait for it: %d.", reason, waiting
        )


async def _listen(bot: Bot, stop: asyncio.Event) -> None:
    """Webhooks, health and metrics."""
    from bot.web.app import build_app
    from bot.web.server import Server

    settings = bot.settings
    app = build_app(
        bot.shell,
        bot.store,
        secret=settings.webhook_secret.get_secret_value(),
        last_tick=lambda: bot.services.watch.last_tick,
        tick_seconds=settings.tick_seconds,
    )
    server = Server(app, host=settings.listen_host, port=settings.listen_port)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve())
        await stop.wait()
        server.should_exit = True


def migrate_database() -> None:
    """Create or upgrade the tables."""
    from bot.storage import migrate

    settings = Settings()
    settings.data.mkdir(parents=True, exist_ok=True)
    migrate(settings.database)
