"""Accounts on the sandbox's exchanges that nobody has to connect: their keys are made when they are first used."""

from collections.abc import Sequence

import aiohttp

from bot.ports.errors import Unavailable
from bot.ports.exchange import Offer
from bot.ports.records import PAPER, Account, Mode
from bot.ports.vault import Credentials, NoCredentials, Vault

_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)


def start_account(exchange: str, offers: Sequence[Offer]) -> tuple[str, Mode]:
    """Where those begin who never chose: on paper, or on the practice exchange, whose money is never real."""
    return (exchange, "demo") if any(offer.name == exchange for offer in offers) else (PAPER, "paper")


class PracticeKeys:
    """Credentials of accounts: what the vault keeps; else, on the practice exchange, a key that the sandbox is told to
    know. It guards nothing: it opens practice money on this machine."""

    def __init__(self, sandbox_url: str, exchange: str, vault: Vault) -> None:
        self._sandbox_url = sandbox_url.rstrip("/")
        self._exchange = exchange
        self._vault = vault

    async def __call__(self, account: Account) -> Credentials:
        try:
            return await self._vault.open(account)
        except NoCredentials:
            if account.exchange != self._exchange:
                raise
        made = Credentials(f"practice-key-{account.id}", f"practice-secret-{account.id}", "practice")
        await self._introduce(made)
        return made

    async def _introduce(self, made: Credentials) -> None:
        """Opening an account that there is changes nothing."""
        url = f"{self._sandbox_url}/sandbox/exchanges/{self._exchange}/accounts"
        body = {"key": made.api_key, "secret": made.secret, "passphrase": made.passphrase}
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                session.post(url, json=body) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, TimeoutError) as failure:
            raise Unavailable("The sandbox's exchange cannot be reached.") from failure
        if status != 200:
            raise Unavailable(f"The sandbox's exchange did not open an account ({status}).")
