// The list of messages: adds, edits and deletes in place, and keeps the end in view while the reader is there.

import { $, h, icon } from "../dom.js";
import { day } from "../format.js";

const SHOWN_AT_FIRST = 150;
const NEAR_END = 48;

/** `bubble(message)` builds one; `onUnread(count)` hears of messages below the fold; `welcome()` fills an empty chat. */
export function chatView({ bubble, welcome, onChange }) {
  const scroller = $("#messages");
  const list = $("#messages-inner");
  const downButton = $("#to-bottom");
  const messages = new Map();
  let earlier = [];
  let atEnd = true;
  let lastTop = 0;
  let unread = 0;

  downButton.append(icon("down"), h("span", { class: "badge", "aria-hidden": "true" }));
  downButton.addEventListener("click", toEnd);
  scroller.addEventListener("scroll", () => {
    const top = scroller.scrollTop;
    if (scroller.scrollHeight - top - scroller.clientHeight < NEAR_END) atEnd = true;
    else if (top < lastTop) atEnd = false;
    lastTop = top;
    if (atEnd) unread = 0;
    showDown();
  }, { passive: true });
  const grown = new ResizeObserver(() => atEnd && toEnd());
  grown.observe(list);
  grown.observe(scroller);

  function toEnd() {
    atEnd = true;
    unread = 0;
    scroller.scrollTop = scroller.scrollHeight;
    showDown();
  }

  function showDown() {
    downButton.hidden = atEnd;
    downButton.setAttribute("aria-label", unread ? `To the newest message, ${unread} unread` : "To the newest message");
    $(".badge", downButton).textContent = unread ? String(unread) : "";
  }

  const rowOf = (id) => list.querySelector(`[data-message-id="${id}"]`);

  function build(message) {
    const row = bubble(message);
    requestAnimationFrame(() => markLongQuotes(row));
    return row;
  }

  // Same-sender neighbours stand closer, the last of them has the tail; a new day gets its label.
  function arrange() {
    let last = null;
    for (const row of list.querySelectorAll(".row")) {
      const message = messages.get(Number(row.dataset.messageId));
      const label = day(message.date);
      const newDay = label !== last?.label;
      const before = row.previousElementSibling;
      const separator = before?.classList.contains("day") ? before : null;
      if (newDay && !separator) row.before(h("div", { class: "day", role: "separator" }, h("span", {}, label)));
      else if (newDay) separator.firstChild.textContent = label;
      else separator?.remove();
      const first = newDay || last.from !== message.from;
      row.classList.toggle("first", first);
      last?.row.classList.toggle("last", first);
      last = { row, from: message.from, label };
    }
    last?.row.classList.add("last");
    if (list.lastElementChild?.classList.contains("day")) list.lastElementChild.remove();
    const empty = messages.size === 0;
    list.classList.toggle("empty", empty);
    $(".welcome", list)?.remove();
    if (empty) list.append(welcome());
    onChange();
  }

  function showEarlier() {
    const height = scroller.scrollHeight;
    const first = list.querySelector(".row");
    for (const message of earlier.splice(-SHOWN_AT_FIRST)) first.before(build(message));
    if (!earlier.length) $(".earlier", list)?.remove();
    arrange();
    scroller.scrollTop += scroller.scrollHeight - height;
  }

  return {
    has: (id) => messages.has(id),
    get: (id) => messages.get(id),
    get size() { return messages.size; },
    toEnd,

    load(all) {
      list.setAttribute("aria-busy", "true");
      messages.clear();
      for (const message of all) messages.set(message.id, message);
      earlier = all.slice(0, -SHOWN_AT_FIRST);
      list.replaceChildren(...all.slice(-SHOWN_AT_FIRST).map(build));
      if (earlier.length) {
        list.prepend(h("button", { type: "button", class: "earlier", on: { click: showEarlier } }, "Show earlier messages"));
      }
      arrange();
      toEnd();
      list.removeAttribute("aria-busy");
    },

    put(message) {
      const old = messages.get(message.id);
      messages.set(message.id, message);
      if (old) return this.replace(message, old);
      const row = build(message);
      row.classList.add("arriving");
      const next = [...list.querySelectorAll(".row")].find((other) => Number(other.dataset.messageId) > message.id);
      if (next) next.before(row);
      else list.append(row);
      if (message.from === "user") atEnd = true;
      else if (!atEnd) unread += 1;
      arrange();
      if (atEnd) toEnd();
      else showDown();
    },

    replace(message, old) {
      const row = rowOf(message.id);
      if (!row) {
        earlier = earlier.map((other) => (other.id === message.id ? message : other));
        return;
      }
      const next = build(message);
      const focused = row.contains(document.activeElement) ? document.activeElement.textContent : null;
      keepOpenQuotes(row, next);
      row.replaceWith(next);
      if (focused !== null) [...next.querySelectorAll("button")].find((button) => button.textContent === focused)?.focus();
      if (old.text !== message.text || old.caption !== message.caption || old.photo !== message.photo) flash(next);
      arrange();
      if (atEnd) toEnd();
    },

    remove(id) {
      if (!messages.delete(id)) return;
      rowOf(id)?.remove();
      earlier = earlier.filter((message) => message.id !== id);
      arrange();
    },

    reveal(id) {
      while (!rowOf(id) && earlier.length) showEarlier();
      const row = rowOf(id);
      if (!row) return;
      row.scrollIntoView({ block: "center" });
      flash(row);
    },
  };
}

function flash(row) {
  row.classList.remove("flash");
  void row.offsetWidth;
  row.classList.add("flash");
}

function keepOpenQuotes(old, next) {
  const quotes = next.querySelectorAll(".expandable");
  old.querySelectorAll(".expandable").forEach((quote, index) => {
    if (quote.classList.contains("open")) quotes[index]?.querySelector(".quote-toggle").click();
  });
}

// A quote that fits needs no arrow.
function markLongQuotes(row) {
  for (const quote of row.querySelectorAll(".expandable")) {
    const body = quote.querySelector(".quote-body");
    quote.classList.toggle("short", !quote.classList.contains("open") && body.scrollHeight <= body.clientHeight + 1);
  }
}
