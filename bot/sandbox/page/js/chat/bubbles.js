// One message -> one bubble.

import { h, icon } from "../dom.js";
import { bytes, clock } from "../format.js";
import { renderText } from "./entities.js";

/** Builds bubbles; `actions` has command, copy, photo and reveal, `keyboards` renders the inline buttons, `find` a message. */
export function bubbles({ actions, keyboards, botName, find }) {
  function reply(message) {
    const original = message.reply_to ? find(message.reply_to) : null;
    if (!original) return null;
    return h("button", { type: "button", class: "reply-to", on: { click: () => actions.reveal(original.id) } },
      h("strong", {}, original.from === "user" ? "You" : botName()), h("span", {}, summary(original)));
  }

  function meta(message) {
    const time = clock(message.date);
    return h("span", { class: "meta" },
      message.silent ? h("span", { class: "silent", title: "Sent without sound" }, icon("bellOff"), h("span", { class: "unseen" }, "silent ")) : null,
      message.edited ? h("span", { class: "edited" }, "edited ") : null,
      h("time", { datetime: message.date }, time),
      message.from === "user" ? h("span", { class: "ticks", "aria-hidden": "true" }, icon("check"), icon("check")) : null);
  }

  function photo(message) {
    if (!message.photo) return null;
    const image = h("img", { src: message.photo, alt: message.caption || "Photo from the bot", loading: "lazy" });
    return h("button", { type: "button", class: "photo", "aria-label": "Enlarge the photo",
      on: { click: () => actions.photo(message.photo, image.alt) } }, image);
  }

  function file(message) {
    if (!message.document) return null;
    const { name, size, url } = message.document;
    return h("a", { class: "document", href: url, download: name },
      h("span", { class: "document-icon" }, icon("file")),
      h("span", { class: "document-words" }, h("span", { class: "document-name" }, name),
        h("span", { class: "document-size" }, size === null || size === undefined ? "Download" : `${bytes(size)} · Download`)));
  }

  return function bubble(message) {
    const text = message.text ?? message.caption ?? "";
    const mine = message.from === "user";
    const keyboard = keyboards.render(message);
    const classes = ["bubble", message.photo && "with-photo", message.photo && !text && "only-photo", message.document && "with-document", message.document && !text && "only-document"];
    return h("div", { class: `row ${mine ? "mine" : "theirs"}${keyboard ? " with-keyboard" : ""}`, role: "article",
      data: { messageId: String(message.id) }, "aria-label": `${mine ? "You" : botName()}, ${clock(message.date)}` },
      h("div", { class: "stack" },
        h("div", { class: classes.filter(Boolean).join(" ") },
          reply(message), photo(message), file(message),
          h("div", { class: "text", dir: "auto" }, renderText(text, message.entities, actions), meta(message))),
        keyboard));
  };
}

/** The first words of a message, for the pinned bar. */
export function summary(message) {
  const text = (message.text ?? message.caption ?? "").replaceAll(/\s+/g, " ").trim();
  if (text) return text.length > 120 ? `${text.slice(0, 120)}…` : text;
  return message.photo ? "Photo" : message.document ? message.document.name : "Message";
}
