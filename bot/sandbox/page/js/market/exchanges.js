// Pretend exchanges to connect: each gives a practice key to copy into the chat.

import { h, icon } from "../dom.js";
import { DriverError, befall, practiceKey, wait } from "../api.js";

const EXCHANGES = [["binance", "Binance"], ["bybit", "Bybit"], ["bingx", "BingX"], ["mexc", "MEXC"], ["weex", "WEEX"]];
const TROUBLES = [
  ["away", "Goes away", "Maintenance: it answers nothing."],
  ["key", "Refuses keys", "Every key there is turned down."],
  ["order", "Loses an answer", "The next order goes through, and nobody learns of it."],
  ["close", "Closes shorts", "By itself, as in a violent market."],
  ["balance", "Tells no balance", "Everybody's money there reads as nothing."],
  ["refuse", "Refuses orders", "With a code that nobody knows."],
  ["list", "Shows no positions", "For a minute: its list is empty."],
  ["rank", "Warns of closing", "Binance and Bybit: shorts stand in front."],
  ["silent", "Keeps silent", "What it closes from now on, it does not tell."],
  ["back", "All well again", "What was closed stays closed."],
];
const WAITS = [["10m", "Wait 10 minutes"], ["1h", "Wait an hour"]];

export function exchangesCard(place, { copy, fail }) {
  const shown = h("div", { "aria-live": "polite" });
  const where = h("select", { class: "pick", "aria-label": "At which exchange", data: { testid: "trouble-at" } },
    EXCHANGES.map(([name, title]) => h("option", { value: name }, title)));
  const outcome = h("p", { class: "outcome", role: "status", "aria-live": "polite", data: { testid: "trouble-outcome" } },
    "It happens to everybody who trades there. Some of it the bot tells only after a while.");
  const action = (testid, name, what, act) => h("button", { type: "button", class: "action", data: { testid }, on: { click: act } },
    h("span", { class: "action-name" }, name), h("span", { class: "action-what" }, what));
  const troubles = [
    ...TROUBLES.map(([kind, name, what]) => action(`trouble-${kind}`, name, what,
      () => run(() => befall(where.value, kind), `${where.selectedOptions[0].text}: ${name.toLowerCase()}.`))),
    ...WAITS.map(([span, name]) => action(`wait-${span}`, name, "For the bot alone; prices stay.",
      () => run(() => wait(span), "The bot's clock has gone ahead."))),
  ];
  const buttons = EXCHANGES.map(([name, title]) =>
    h("button", { type: "button", class: "pick", data: { testid: `key-${name}` }, on: { click: () => make(name, title) } }, title));
  place.replaceChildren(
    h("div", { class: "card-head" }, h("h3", {}, "Exchanges to try"), h("span", { class: "chip" }, "all pretend")),
    h("p", { class: "footnote" }, "Stand-ins for real exchanges, on this computer. Take a practice key, send ",
      h("strong", {}, "/connect"), " in the chat, and paste it there when the bot asks. Even “live” is play money here."),
    h("div", { class: "picks" }, buttons), shown, h("div", { class: "card-head" }, h("h3", {}, "Trouble there"), where),
    h("div", { class: "actions" }, troubles), outcome);

  async function run(act, said) {
    try {
      await act();
      outcome.textContent = said;
    } catch (failure) {
      if (!(failure instanceof DriverError)) throw failure;
      fail(failure.message);
    }
  }

  async function make(name, title) {
    for (const button of buttons) button.disabled = true;
    try {
      show(title, await practiceKey(name));
    } catch (failure) {
      if (!(failure instanceof DriverError)) throw failure;
      fail(failure.message);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  function show(title, made) {
    const parts = [["Key", made.key], ["Secret", made.secret], ["Passphrase", made.passphrase]].filter(([, value]) => value);
    const whole = parts.map(([, value]) => value).join("\n");
    shown.replaceChildren(
      h("div", { class: "practice-key", data: { testid: "practice-key" } },
        h("dl", {}, parts.map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, h("code", {}, value))))),
        h("button", { type: "button", class: "copy-key", data: { testid: "copy-key" }, on: { click: () => copy(whole) } },
          icon("copy"), h("span", {}, `Copy the ${title} key`))));
  }
}
