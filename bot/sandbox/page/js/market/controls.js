// What a newcomer may do to the market, each with a line on what it does.

import { h, icon } from "../dom.js";
import { percent, price, utcClock, utcDay } from "../format.js";

const ACTIONS = [
  { id: "shock-crash", name: "Crash −30\u202f%", what: "Bitcoin falls 30\u202f% at once, most altcoins more.", body: { shock: "crash", size: 0.3 }, kind: "bad" },
  { id: "shock-rally", name: "Rally +20\u202f%", what: "Bitcoin gains 20\u202f%. Shorts lose.", body: { shock: "rally", size: 0.2 }, kind: "up" },
  { id: "shock-funding", name: "Funding spike", what: "Shorts pay a lot to be held.", body: { shock: "funding" } },
  { id: "shock-decorrelate", name: "Correlation breaks", what: "Altcoins leave Bitcoin’s path.", body: { shock: "decorrelate" } },
  { id: "shock-gap", name: "Price gap +2\u202f%", what: "Perpetuals rise above their coins.", body: { shock: "gap" } },
  { id: "shock-october", name: "10 October 2025", what: "Altcoins halve in minutes, exchanges close shorts, then go away.", body: { shock: "october" }, kind: "bad" },
  { id: "skip-day", name: "Skip a day", what: "24 hours pass in a moment.", body: { skip: "1d" } },
  { id: "skip-week", name: "Skip a week", what: "Seven days pass in a moment.", body: { skip: "7d" } },
];
const SPEEDS = [0, 1, 10, 60, 600];

/** `change(body)` resolves to the market afterwards; `done(action, before, after)` hears of what went well. */
export function controls(place, { change, current, done }) {
  const outcome = h("p", { class: "outcome", role: "status", "aria-live": "polite", data: { testid: "market-outcome" } }, "The bot keeps watch; its alerts come into the chat within seconds.");
  const buttons = ACTIONS.map((action) => h("button", { type: "button", class: `action ${action.kind ?? ""}`, data: { testid: action.id },
    on: { click: (event) => run(action, event.currentTarget) } },
  h("span", { class: "action-name" }, action.name), h("span", { class: "action-what" }, action.what), h("span", { class: "ring", "aria-hidden": "true" })));
  place.replaceChildren(h("div", { class: "card-head" }, h("h3", {}, "Try it"), h("small", {}, "then watch the chat")),
    h("div", { class: "actions" }, buttons), outcome);

  async function run(action, button) {
    const before = current();
    for (const other of buttons) other.disabled = true;
    button.classList.add("pending");
    button.setAttribute("aria-busy", "true");
    say("");
    try {
      const after = await change(action.body);
      say(told(action, before, after));
      done(action, after);
    } catch (failure) {
      say(failure.message, true);
    } finally {
      for (const other of buttons) other.disabled = false;
      button.classList.remove("pending");
      button.removeAttribute("aria-busy");
      button.focus({ preventScroll: true });
    }
  }

  function say(text, bad = false) {
    outcome.textContent = text;
    outcome.classList.toggle("bad", bad);
  }
}

function told(action, before, after) {
  if (action.body.skip) return `It is now ${utcDay(after.time)}, ${utcClock(after.time)} on the market.`;
  if (action.body.shock === "funding") {
    const worst = after.coins.filter((coin) => coin.perpetual && coin.funding_rate !== null).sort((one, two) => one.funding_rate - two.funding_rate)[0];
    return worst ? `Funding is now ${percent(worst.funding_rate, 3)} on ${worst.asset}, every ${worst.funding_interval_hours} h.` : "Funding has changed.";
  }
  if (action.body.shock === "october") return "Eight minutes of falling begin now, on the market's clock; shorts are closed after six, and from nine to fifteen nobody answers.";
  if (action.body.shock === "gap") {
    const sol = after.coins.find((coin) => coin.asset === "SOL");
    return sol?.mark ? `SOL ${price(sol.spot)}, its perpetual ${price(sol.mark)}` : "Done.";
  }
  const moved = (asset) => {
    const old = before?.coins.find((coin) => coin.asset === asset);
    const now = after.coins.find((coin) => coin.asset === asset);
    return old && now ? `${asset} ${price(old.spot)} → ${price(now.spot)} (${percent(now.spot / old.spot - 1)})` : null;
  };
  const known = [moved("BTC"), moved("SOL"), moved("ETH")].filter(Boolean).slice(0, 2).join(", ");
  return action.body.shock === "decorrelate" ? "From now on the coins go their own ways." : known || "Done.";
}

/** The market's clock, its source, and how fast it runs. */
export function clockCard(place, { change, fail }) {
  const time = h("p", { class: "market-time" });
  const date = h("p", { class: "market-date" });
  const source = h("span", { class: "chip" });
  const speeds = SPEEDS.map((speed) => h("button", { type: "button", class: "speed", "aria-pressed": "false", data: { speed: String(speed), testid: `speed-${speed}` },
    "aria-label": speed === 0 ? "Pause the market" : `${speed} times as fast as life`, on: { click: () => set(speed) } },
  speed === 0 ? icon("pause") : `${speed}×`));
  const offline = h("span", { class: "chip warn", hidden: true }, "connecting…");
  place.replaceChildren(
    h("div", {}, h("div", { class: "card-head" }, h("h2", {}, "Market"), source, offline), h("div", { class: "moment" }, time, date)),
    h("div", { class: "speeds", role: "group", "aria-label": "Speed of the market" }, speeds));

  async function set(speed) {
    try {
      await change({ speed });
    } catch (failure) {
      fail(failure.message);
    }
  }

  return {
    update(market) {
      time.textContent = `${utcClock(market.time)} UTC`;
      date.textContent = utcDay(market.time);
      source.textContent = market.source === "history" ? "real history, replayed" : "simulated";
      for (const button of speeds) button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === Number(market.speed)));
    },
    online: (on) => (offline.hidden = on),
  };
}
