// The market panel as a whole: beside the phone on a wide screen, a sheet over it on a narrow one.

import { $, h, icon } from "../dom.js";
import { changeMarket } from "../api.js";
import { tracks } from "./chart.js";
import { coinTable } from "./coins.js";
import { clockCard, controls } from "./controls.js";
import { exchangesCard } from "./exchanges.js";
import { hedgeCard } from "./hedge.js";

export function marketPanel({ people, choose, copy, toast }) {
  const sheet = $("#market");
  const openButton = $("#market-open");
  const closeButton = $("#market-close");
  const lines = tracks();
  let market = null;
  let marks = [];
  let unread = 0;

  openButton.append(icon("chart"), h("span", { class: "dot", "aria-hidden": "true" }));
  const updateCoins = coinTable($("#market-coins"));
  const updateHedge = hedgeCard($("#market-hedge"), { choose });
  exchangesCard($("#market-exchanges"), { copy, fail: toast });
  const clockFace = clockCard($("#market-clock"), { change, fail: toast });
  controls($("#market-controls"), {
    change,
    current: () => market,
    done: (action, after) => {
      marks = [...marks.slice(-19), { time: Date.parse(after.time), label: action.name }];
      hedge();
    },
  });

  async function change(body) {
    const after = await changeMarket(body);
    show(after);
    return after;
  }

  function show(next) {
    if (market && Date.parse(next.time) < Date.parse(market.time) - 60_000) {
      lines.clear();
      marks = [];
    }
    market = next;
    for (const { user_id: id, history, positions, unhedged_pnl: unhedged, hedged_pnl: hedged } of market.hedges) {
      for (const point of history ?? []) lines.add(id, { time: Date.parse(point.time), unhedged: Number(point.unhedged), hedged: Number(point.hedged) });
      if (unhedged !== null && hedged !== null && positions.length) lines.add(id, { time: Date.parse(market.time), unhedged: Number(unhedged), hedged: Number(hedged) });
    }
    clockFace.update(market);
    updateCoins(market);
    hedge();
  }

  function hedge() {
    const { user, users } = people();
    const hedges = market?.hedges ?? [];
    updateHedge({ user, users, hedges, marks, points: user ? lines.of(user.id) : [] });
  }

  function setOpen(open) {
    sheet.classList.toggle("open", open);
    document.body.classList.toggle("sheet-open", open);
    openButton.setAttribute("aria-expanded", String(open));
    unread = 0;
    label();
    (open ? closeButton : openButton).focus({ preventScroll: true });
  }

  function label() {
    $("#market-close-label").textContent = unread ? `Back to the chat · ${unread} new` : "Back to the chat";
    closeButton.classList.toggle("news", unread > 0);
  }

  closeButton.prepend(icon("down"));
  openButton.addEventListener("click", () => setOpen(!sheet.classList.contains("open")));
  closeButton.addEventListener("click", () => setOpen(false));
  sheet.addEventListener("keydown", (event) => event.key === "Escape" && sheet.classList.contains("open") && setOpen(false));
  hedge();

  return {
    show,
    refresh: hedge,
    online: clockFace.online,
    /** A message came while the sheet covers the chat. */
    news() {
      if (!sheet.classList.contains("open")) return;
      unread += 1;
      label();
    },
  };
}
