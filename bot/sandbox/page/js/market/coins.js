// The coins: price, day's change, funding, and whether there is a perpetual to short. Updated in place.

import { h } from "../dom.js";
import { percent, price, tone, until } from "../format.js";

const NOTABLE = 0.003;
const FUNDING_HELP = "Paid between longs and shorts; shown per 8 hours. A plus: shorts receive it. A minus: shorts pay.";

export function coinTable(place) {
  const rows = new Map();
  const body = h("tbody");
  const note = h("span", { class: "chip" });
  place.replaceChildren(
    h("div", { class: "card-head" }, h("h3", {}, "Coins"), note),
    h("div", { class: "table-box" }, h("table", { class: "coins" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Coin"), h("th", { scope: "col" }, "Price"), h("th", { scope: "col" }, "24 h"),
        h("th", { scope: "col", title: FUNDING_HELP }, "Funding 8 h"))),
      body)),
    h("p", { class: "footnote" }, "Funding: plus, shorts receive; minus, shorts pay. Coins without a perpetual cannot be shorted themselves."));

  function row(coin) {
    const cells = { price: h("td", { class: "number" }), change: h("td", { class: "number" }), funding: h("td", { class: "number" }) };
    const element = h("tr", { data: { asset: coin.asset } },
      h("th", { scope: "row" }, h("span", { class: "asset" }, coin.asset),
        coin.perpetual ? null : h("span", { class: "no-perpetual", title: "No perpetual contract: hedged with another coin" }, "spot only")),
      cells.price, cells.change, cells.funding);
    return { element, cells, last: null };
  }

  return function update(market) {
    note.textContent = `${market.coins.length} coins`;
    for (const coin of market.coins) {
      let kept = rows.get(coin.asset);
      if (!kept) {
        kept = row(coin);
        rows.set(coin.asset, kept);
        body.append(kept.element);
      }
      const { cells } = kept;
      const now = Number(coin.spot);
      set(cells.price, price(coin.spot), "number");
      const change = percent(coin.change_24h);
      set(cells.change, change, `number ${tone(change)}`);
      const per8 = coin.perpetual === null || coin.funding_rate === null ? null : Number(coin.funding_rate) * (8 / (coin.funding_interval_hours || 8));
      const funding = percent(per8, 3);
      set(cells.funding, funding, `number ${tone(funding)}`);
      if (per8 !== null && coin.next_funding) cells.funding.title = `Every ${coin.funding_interval_hours} h, next ${until(coin.next_funding, market.time)}`;
      if (kept.last && Math.abs(now / kept.last - 1) >= NOTABLE) tick(cells.price, now > kept.last);
      kept.last = now;
    }
    for (const [asset, kept] of rows) {
      if (market.coins.some((coin) => coin.asset === asset)) continue;
      kept.element.remove();
      rows.delete(asset);
    }
  };
}

function set(cell, text, kind) {
  if (cell.textContent !== text) cell.textContent = text;
  if (cell.className !== kind) cell.className = kind;
}

function tick(cell, up) {
  cell.dataset.tick = up ? "up" : "down";
  clearTimeout(cell.timer);
  cell.timer = setTimeout(() => delete cell.dataset.tick, 1_200);
}
