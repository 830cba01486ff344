// One person's hedge as it stands: coverage against its target, gains with and without it, the open shorts.

import { h } from "../dom.js";
import { amount, money, percent, price, tone } from "../format.js";
import { nameOf } from "../chat/users.js";
import { chart } from "./chart.js";

/** The card of the shown person's hedge, with the others' hedges at its foot; returns its update. */
export function hedgeCard(place, { choose }) {
  const body = h("div");
  const others = otherPeople(choose);
  place.replaceChildren(body, others.element);

  return function update({ user, users, hedges, points, marks }) {
    const hedge = hedges.find((other) => other.user_id === user?.id);
    body.replaceChildren(
      h("div", { class: "card-head" }, h("h3", {}, user ? `${nameOf(user)}’s hedge` : "Hedge"), hedge ? state(hedge) : ""),
      hedge ? details(hedge, points, marks) : firstSteps());
    others.update(hedges.filter((other) => other.user_id !== user?.id && other.positions.length), users);
  };
}

function firstSteps() {
  return h("div", {}, h("p", { class: "empty" }, "No hedge yet. To see one at work:"),
    h("ol", { class: "steps" },
      h("li", {}, h("span", {}, "In the chat, press ", h("strong", {}, "START"), ".")),
      h("li", {}, h("span", {}, "Say what you hold, such as ", h("strong", {}, "/add SOL 120"), ".")),
      h("li", {}, h("span", {}, "Send ", h("strong", {}, "/hedge"), ", read the card, tap ", h("strong", {}, "Confirm"), ".")),
      h("li", {}, h("span", {}, "Then let the market ", h("strong", {}, "crash"), " and see what the hedge does."))));
}

function state(hedge) {
  if (!hedge.positions.length) return h("span", { class: "chip" }, "no shorts open");
  const [low, high] = band(hedge);
  if (low === null) return h("span", { class: "chip good" }, "hedged");
  const inside = hedge.coverage >= low && hedge.coverage <= high;
  return h("span", { class: `chip ${inside ? "good" : "warn"}` }, inside ? "in its band" : hedge.coverage < low ? "below its band" : "above its band");
}

// The band as fractions of coverage, from either form: a half-width or its two ends.
function band(hedge) {
  if (Array.isArray(hedge.band)) return hedge.band.map(Number);
  const half = Number(hedge.band);
  if (hedge.band === null || hedge.band === undefined || hedge.target === null || !Number.isFinite(half)) return [null, null];
  return [Number(hedge.target) - half, Number(hedge.target) + half];
}

function details(hedge, points, marks) {
  return h("div", { class: "hedge" },
    coverage(hedge),
    h("dl", { class: "figures" },
      figure("Holdings", money(hedge.portfolio_value)),
      figure("Paper account", money(hedge.equity)),
      figure("Without hedge", money(hedge.unhedged_pnl, { signed: true })),
      figure("With hedge", money(hedge.hedged_pnl, { signed: true }))),
    hedge.positions.length || points.length > 1 ? h("figure", { class: "chart-box" },
      h("figcaption", {}, h("span", { class: "key hedged" }, "with the hedge"), h("span", { class: "key unhedged" }, "without it")),
      chart(points, marks)) : null,
    hedge.positions.map(position));
}

function figure(name, value) {
  return h("div", { class: `figure ${tone(value)}` }, h("dt", {}, name), h("dd", {}, value));
}

function coverage(hedge) {
  const [low, high] = band(hedge);
  const target = Number(hedge.target);
  const most = Math.max(1.2, Number(hedge.coverage) * 1.05 || 0);
  const at = (value) => `${Math.max(0, Math.min(100, (value / most) * 100)).toFixed(2)}%`;
  const fill = h("span", { class: "coverage-fill" });
  fill.style.width = at(Number(hedge.coverage) || 0);
  const bar = h("div", { class: "coverage-bar", role: "meter", "aria-label": "Coverage", "aria-valuemin": "0", "aria-valuemax": most.toFixed(2),
    "aria-valuenow": (Number(hedge.coverage) || 0).toFixed(3), "aria-valuetext": percent(hedge.coverage, 0, { signed: false }) }, fill);
  if (low !== null) {
    const zone = h("span", { class: "coverage-band" });
    zone.style.left = at(low);
    zone.style.width = `calc(${at(high)} - ${at(low)})`;
    bar.append(zone);
    fill.classList.toggle("outside", hedge.coverage < low || hedge.coverage > high);
  }
  if (hedge.target !== null && Number.isFinite(target)) {
    const mark = h("span", { class: "coverage-target" });
    mark.style.left = at(target);
    bar.append(mark);
  }
  const aim = hedge.target === null || !Number.isFinite(target) ? "" : `target ${percent(target, 0, { signed: false })}`;
  const edges = low === null ? "" : `, band ${Math.round(low * 100)}–${percent(high, 0, { signed: false })}`;
  return h("div", { class: "coverage" },
    h("p", { class: "coverage-line" }, h("strong", {}, percent(hedge.coverage, 0, { signed: false })), " covered", h("span", {}, aim + edges)), bar);
}

function position(item) {
  const result = money(item.unrealized_pnl, { signed: true });
  const away = item.liquidation_price === null ? null : Number(item.liquidation_price) / Number(item.mark_price) - 1;
  return h("article", { class: "position", "aria-label": `${item.side} ${item.symbol}` },
    h("div", { class: "position-head" },
      h("span", { class: "side" }, item.side === "short" ? "Short" : "Long"),
      h("strong", {}, item.symbol.split("/")[0]),
      h("small", {}, `${amount(item.contracts)} · ${item.leverage}×`),
      h("span", { class: `position-pnl ${tone(result)}` }, result)),
    h("dl", { class: "position-figures" },
      cell("Size", money(item.notional)), cell("Entry", price(item.entry_price)), cell("Mark", price(item.mark_price)),
      cell("Liquidation", away === null ? "none" : price(item.liquidation_price), away === null ? "" : Math.abs(away) > 5 ? "far off" : percent(away, 0), away !== null && away < 0.15)));
}

function cell(name, value, note = "", risky = false) {
  return h("div", { class: risky ? "risky" : "" }, h("dt", {}, name), h("dd", {}, value, note ? h("small", {}, ` ${note}`) : null));
}

// Buttons stay the same elements between updates: a press must not lose the button under it.
function otherPeople(choose) {
  const rows = new Map();
  const element = h("div", { class: "other-hedges", hidden: true }, h("h4", {}, "Also hedged"));
  return {
    element,
    update(hedges, users) {
      element.hidden = hedges.length === 0;
      for (const id of rows.keys()) {
        if (hedges.some((hedge) => hedge.user_id === id)) continue;
        rows.get(id).remove();
        rows.delete(id);
      }
      for (const hedge of hedges) {
        const id = hedge.user_id;
        if (!rows.has(id)) {
          rows.set(id, h("button", { type: "button", class: "other-hedge", on: { click: () => choose(id) } }, h("span"), h("span"), h("span")));
          element.append(rows.get(id));
        }
        const [name, covered, result] = rows.get(id).children;
        name.textContent = nameOf(users.find((user) => user.id === id) ?? { id });
        covered.textContent = `${percent(hedge.coverage, 0, { signed: false })} covered`;
        result.textContent = money(hedge.hedged_pnl, { signed: true });
        result.className = tone(result.textContent);
      }
    },
  };
}
