// A small menu under a button: opens on click, closes on choice, Escape or a click elsewhere.

import { $ } from "./dom.js";

export function popover(button, panel, fill) {
  const open = () => {
    panel.replaceChildren(...fill(close));
    panel.hidden = false;
    button.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", outside, true);
    ($('[aria-pressed="true"]', panel) ?? $("button", panel))?.focus();
  };
  const close = (refocus = true) => {
    if (panel.hidden) return;
    panel.hidden = true;
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    if (refocus) button.focus();
  };
  const outside = (event) => {
    if (!panel.contains(event.target) && !button.contains(event.target)) close(false);
  };
  button.addEventListener("click", () => (panel.hidden ? open() : close()));
  panel.addEventListener("keydown", (event) => {
    const stops = [...panel.querySelectorAll("button:not(:disabled), input")];
    const here = stops.indexOf(document.activeElement);
    if (event.key === "Escape") close();
    else if (event.key === "ArrowDown") stops[(here + 1) % stops.length]?.focus();
    else if (event.key === "ArrowUp") stops[(here - 1 + stops.length) % stops.length]?.focus();
    else return;
    event.preventDefault();
  });
  return { close, refresh: () => !panel.hidden && panel.replaceChildren(...fill(close)) };
}
