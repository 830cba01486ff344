// The inline keyboard under a bubble. A tapped button turns until the bot answers the tap.

import { h, icon } from "../dom.js";
import { DriverError } from "../api.js";

const STYLES = new Set(["success", "danger", "primary"]);

/** Keyboards of one chat. `tap(messageId, button)` resolves to the bot's answer or null; `notice` shows it. */
export function keyboards({ tap, notice, copy }) {
  const pending = new Set();

  function keyOf(message, button) {
    return `${message.id}\n${button.callback_data ?? button.text}`;
  }

  async function press(message, button, element) {
    const key = keyOf(message, button);
    if (pending.has(key)) return;
    pending.add(key);
    turn(element, true);
    try {
      const answer = await tap(message.id, button.callback_data ?? button.text);
      if (answer) notice.answer(answer, message.id);
      else notice.toast("The bot has not answered yet. It may be busy or restarting.");
    } catch (failure) {
      if (!(failure instanceof DriverError)) throw failure;
      notice.toast(failure.message);
    } finally {
      pending.delete(key);
      for (const shown of document.querySelectorAll(".inline-button.pending")) {
        if (shown.dataset.key === key) turn(shown, false);
      }
    }
  }

  function turn(element, on) {
    element.classList.toggle("pending", on);
    if (on) element.setAttribute("aria-busy", "true");
    else element.removeAttribute("aria-busy");
  }

  function build(message, button) {
    const style = STYLES.has(button.style) ? button.style : "plain";
    const label = h("span", { class: "label" }, button.text);
    const key = keyOf(message, button);
    if (button.url) {
      const safe = /^(https?|tg):/i.test(button.url) ? button.url : null;
      return h("a", { class: `inline-button ${style}`, href: safe, role: safe ? null : "link", "aria-disabled": safe ? null : "true",
        target: "_blank", rel: "noopener noreferrer", title: button.url }, label, icon("link"));
    }
    const copied = typeof button.copy_text === "string" ? button.copy_text : button.copy_text?.text;
    const usable = !button.disabled && (button.callback_data !== undefined || copied !== undefined);
    const element = h("button", { type: "button", class: `inline-button ${style}`, disabled: !usable, data: { key } },
      label, copied === undefined ? null : icon("copy"), h("span", { class: "ring", "aria-hidden": "true" }));
    if (copied !== undefined) element.addEventListener("click", () => copy(copied));
    else element.addEventListener("click", () => press(message, button, element));
    if (pending.has(key)) turn(element, true);
    return element;
  }

  return {
    render(message) {
      if (!message.buttons?.length) return null;
      return h("div", { class: "inline-keyboard", role: "group", "aria-label": "Buttons of this message" },
        message.buttons.map((row) => h("div", { class: "inline-row" }, row.map((button) => build(message, button)))));
    },
  };
}
