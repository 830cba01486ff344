// The message field, the file button, START and RESTART, and what lies under the field.

import { $, h, icon } from "../dom.js";
import { bytes } from "../format.js";

const LARGEST_FILE = 20 * 1024 * 1024;

/** `send(text)` and `sendFile(name, base64)` may fail with a sentence, shown by `toast`; the text is then put back. */
export function composer({ send, sendFile, restart, commands, toast }) {
  const form = $("#composer-form");
  const field = $("#composer");
  const button = $("#send");
  const attach = $("#attach");
  const file = $("#file");
  const start = $("#start");
  const restartButton = $("#restart");
  const keyboard = $("#reply-keyboard");
  const toggle = $("#keyboard-toggle");

  button.append(icon("send"));
  attach.append(icon("clip"));
  toggle.append(icon("keyboard"));

  function changed() {
    field.style.height = "auto";
    if (field.scrollHeight) field.style.height = `${Math.min(field.scrollHeight, 132)}px`;
    button.disabled = field.value.trim() === "";
    form.classList.toggle("writing", field.value !== "");
    commands.filter(field.value);
  }

  async function submit(text) {
    const kept = text.trim();
    if (!kept) return;
    if (field.value.trim() === kept) field.value = "";
    changed();
    commands.close();
    try {
      await send(kept);
    } catch (failure) {
      if (!field.value) field.value = kept;
      changed();
      toast(failure.message);
    }
  }

  // At once, not when the message comes back: a second press must not begin a second time.
  async function begin() {
    start.hidden = true;
    form.hidden = false;
    if (matchMedia("(pointer: fine)").matches) field.focus();
    await submit("/start");
  }

  field.addEventListener("input", changed);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (commands.key(event)) event.preventDefault();
    else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit(field.value);
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(field.value);
    field.focus();
  });
  attach.addEventListener("click", () => file.click());
  file.addEventListener("change", async () => {
    const chosen = file.files[0];
    file.value = "";
    if (!chosen) return;
    if (chosen.size === 0) return toast("This file is empty.");
    if (chosen.size > LARGEST_FILE) return toast(`A bot can read files up to ${bytes(LARGEST_FILE)}; this one has ${bytes(chosen.size)}.`);
    attach.disabled = true;
    try {
      await sendFile(chosen.name, await base64(chosen));
    } catch (failure) {
      toast(failure.message);
    } finally {
      attach.disabled = false;
    }
  });
  start.addEventListener("click", begin);
  restartButton.addEventListener("click", () => restart());
  toggle.addEventListener("click", () => {
    const open = keyboard.classList.toggle("folded") === false;
    toggle.setAttribute("aria-expanded", String(open));
  });

  return {
    submit,
    focus: () => field.focus(),
    /** Which of the three the chat calls for: START in an empty one, RESTART in a stopped one, else the field. */
    setMode({ empty, blocked }) {
      restartButton.hidden = !blocked;
      start.hidden = blocked || !empty;
      form.hidden = blocked || empty;
      if (blocked || empty) commands.close();
      keyboard.classList.toggle("unavailable", blocked || empty);
    },
    setKeyboard(rows) {
      const shown = Boolean(rows?.length);
      keyboard.hidden = !shown;
      toggle.hidden = !shown;
      keyboard.classList.remove("folded");
      toggle.setAttribute("aria-expanded", "true");
      keyboard.replaceChildren(...(rows ?? []).map((row) => h("div", { class: "reply-row" },
        row.map(({ text }) => h("button", { type: "button", class: "reply-key", on: { click: () => submit(text) } }, text)))));
    },
  };
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Error("This file could not be read."));
    reader.readAsDataURL(file);
  });
}
