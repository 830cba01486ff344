// Telegram's text with entities -> elements. Offsets are UTF-16 units, as JavaScript counts.

import { h, icon } from "../dom.js";
import { dateTime } from "./dates.js";

const TAGS = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code" };
const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);
const SAFE_LINK = /^(https?|mailto|tel|tg):/i;

/**
 * Render text. `actions.command(text)` runs on a tapped command, `actions.copy(text)` on tapped code.
 * Entities may nest; one that reaches over its parent's end is cut in two there, as Telegram does.
 */
export function renderText(text, entities, actions) {
  return render(text, 0, text.length, entities.map((entity) => ({ ...entity, end: entity.offset + entity.length })), actions);
}

function byPlace(one, other) {
  return one.offset - other.offset || other.end - one.end || BLOCKS.has(other.type) - BLOCKS.has(one.type);
}

function render(text, start, end, entities, actions) {
  const fragment = document.createDocumentFragment();
  let waiting = entities.filter((entity) => entity.end > entity.offset).sort(byPlace);
  let position = start;
  while (waiting.length) {
    const [entity, ...others] = waiting;
    const from = Math.max(entity.offset, position);
    const to = Math.min(entity.end, end);
    if (to <= from) {
      waiting = others;
      continue;
    }
    plain(fragment, text.slice(position, from));
    const inside = others.filter((other) => other.offset < to).map((other) => ({ ...other, end: Math.min(other.end, to) }));
    const after = others.filter((other) => other.end > to).map((other) => ({ ...other, offset: Math.max(other.offset, to) }));
    fragment.append(element(entity, text.slice(from, to), render(text, from, to, inside, actions), actions));
    position = to;
    waiting = after.sort(byPlace);
  }
  plain(fragment, text.slice(position, end));
  return fragment;
}

// A block ends its own line, so the line break that follows it in the text is not shown a second time.
function plain(fragment, text) {
  const afterBlock = fragment.lastChild?.nodeType === Node.ELEMENT_NODE && fragment.lastChild.classList.contains("block");
  const shown = afterBlock && text.startsWith("\n") ? text.slice(1) : text;
  if (shown) fragment.append(shown);
}

function element(entity, text, content, actions) {
  switch (entity.type) {
    case "bold": case "italic": case "underline": case "strikethrough":
      return h(TAGS[entity.type], {}, content);
    case "code":
      return h("code", { ...pressable(() => actions.copy(text)), title: "Tap to copy" }, content);
    case "pre":
      return h("div", { class: "pre block" },
        h("div", { class: "pre-head" }, h("span", {}, entity.language || "text"),
          h("button", { type: "button", "aria-label": "Copy this block", on: { click: () => actions.copy(text) } }, icon("copy"))),
        h("pre", { tabindex: "0" }, h("code", {}, content)));
    case "spoiler":
      return spoiler(content);
    case "blockquote":
      return h("blockquote", { class: "block" }, content);
    case "expandable_blockquote":
      return expandable(content);
    case "url": case "text_link": case "email": case "phone_number":
      return link(entity, text, content);
    case "bot_command":
      return h("button", { type: "button", class: "command", on: { click: () => actions.command(text) } }, content);
    case "date_time":
      return dateTime(entity, content);
    case "mention": case "text_mention": case "hashtag": case "cashtag":
      return h("span", { class: "mention" }, content);
    case "custom_emoji":
      return h("span", { class: "custom-emoji" }, content);
    default:
      return h("span", { data: { entity: entity.type } }, content);
  }
}

function link(entity, text, content) {
  const address = { email: `mailto:${text}`, phone_number: `tel:${text}`, text_link: entity.url }[entity.type] ?? text;
  const href = SAFE_LINK.test(address) ? address : `https://${address}`;
  return h("a", { href, target: "_blank", rel: "noopener noreferrer", title: entity.type === "text_link" ? href : null }, content);
}

function pressable(action) {
  const onKey = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    action(event);
  };
  return { role: "button", tabindex: "0", on: { click: action, keydown: onKey } };
}

function spoiler(content) {
  const body = h("span", { class: "spoiler-text", "aria-hidden": "true" }, content);
  const cover = h("span", { class: "spoiler", "aria-label": "Hidden text. Tap to show it.", ...pressable((event) => {
    if (cover.classList.contains("shown")) return;
    event.preventDefault();
    event.stopPropagation();
    cover.classList.add("shown");
    for (const name of ["role", "tabindex", "aria-label"]) cover.removeAttribute(name);
    body.removeAttribute("aria-hidden");
  }) }, body);
  return cover;
}

function expandable(content) {
  const body = h("div", { class: "quote-body" }, content);
  const toggle = h("button", { type: "button", class: "quote-toggle", "aria-expanded": "false", "aria-label": "Show all of it" }, icon("down"));
  const quote = h("blockquote", { class: "block expandable" }, body, toggle);
  const set = (open) => {
    quote.classList.toggle("open", open);
    toggle.setAttribute("aria-expanded", String(open));
    toggle.setAttribute("aria-label", open ? "Show less" : "Show all of it");
  };
  quote.addEventListener("click", (event) => {
    if (event.target.closest("a, .command, code, .spoiler:not(.shown)")) return;
    set(!quote.classList.contains("open"));
  });
  return quote;
}
