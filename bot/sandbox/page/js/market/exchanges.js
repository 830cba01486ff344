// Pretend exchanges to connect: each gives a practice key to copy into the chat.

import { h, icon } from "../dom.js";
import { DriverError, practiceKey } from "../api.js";

const EXCHANGES = [["binance", "Binance"], ["bybit", "Bybit"], ["bingx", "BingX"], ["mexc", "MEXC"], ["weex", "WEEX"]];

export function exchangesCard(place, { copy, fail }) {
  const shown = h("div", { "aria-live": "polite" });
  const buttons = EXCHANGES.map(([name, title]) =>
    h("button", { type: "button", class: "pick", data: { testid: `key-${name}` }, on: { click: () => make(name, title) } }, title));
  place.replaceChildren(
    h("div", { class: "card-head" }, h("h3", {}, "Exchanges to try"), h("span", { class: "chip" }, "all pretend")),
    h("p", { class: "footnote" }, "Stand-ins for real exchanges, on this computer. Take a practice key, send ",
      h("strong", {}, "/connect"), " in the chat, and paste it there when the bot asks. Even “live” is play money here."),
    h("div", { class: "picks" }, buttons), shown);

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
