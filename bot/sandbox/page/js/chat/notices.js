// What a tap answers: a toast, or a box that must be closed. Both stay within the phone.

import { $, h } from "../dom.js";

const SHOWN_FOR = 3_800;
const SAME_WITHIN = 2_500;

export function notices({ botName }) {
  const stack = $("#toasts");
  const overlay = $("#overlay");
  let last = { key: null, at: 0 };
  let close = null;

  function toast(text) {
    const shown = h("div", { class: "toast", data: { testid: "toast" } }, text);
    stack.replaceChildren(shown);
    setTimeout(() => shown.remove(), Math.max(SHOWN_FOR, text.length * 55));
  }

  /** Cover the phone with a box until it is closed; the focus returns where it was. */
  function cover(content, { label, role = "dialog", kind = "" }) {
    close?.();
    const before = document.activeElement;
    const box = h("div", { class: `box ${kind}`, role, "aria-modal": "true", "aria-label": label }, content);
    close = () => {
      overlay.hidden = true;
      overlay.replaceChildren();
      document.removeEventListener("keydown", onKey, true);
      close = null;
      before?.focus?.({ preventScroll: true });
    };
    const onKey = (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        close?.();
      } else if (event.key === "Tab") {
        event.preventDefault();
        const stops = [...box.querySelectorAll("button, a[href], input")];
        const step = event.shiftKey ? stops.length - 1 : 1;
        stops[(stops.indexOf(document.activeElement) + step) % stops.length]?.focus();
      }
    };
    document.addEventListener("keydown", onKey, true);
    overlay.replaceChildren(box);
    overlay.hidden = false;
    overlay.onclick = (event) => event.target === overlay && close?.();
    (box.querySelector("[data-first]") ?? box.querySelector("button"))?.focus();
    return () => close?.();
  }

  function alert(text) {
    const ok = h("button", { type: "button", class: "box-ok", on: { click: () => close?.() } }, "OK");
    cover([h("h2", {}, botName()), h("p", { data: { testid: "alert" } }, text), h("div", { class: "box-actions" }, ok)],
      { label: `Message from ${botName()}`, role: "alertdialog" });
  }

  function photo(url, alt) {
    const shut = h("button", { type: "button", class: "lightbox-close", "aria-label": "Close the photo", on: { click: () => close?.() } }, "✕");
    cover([h("img", { src: url, alt }), shut], { label: "Photo", kind: "lightbox" });
  }

  return {
    toast,
    photo,
    cover,
    /** A tap's answer reaches the page twice (from the tap itself and from the feed); it is shown once. */
    answer({ text, show_alert: asAlert }, messageId) {
      if (!text) return;
      const key = `${messageId} ${Boolean(asAlert)} ${text}`;
      const now = performance.now();
      if (last.key === key && now - last.at < SAME_WITHIN) return;
      last = { key, at: now };
      if (asAlert) alert(text);
      else toast(text);
    },
  };
}
