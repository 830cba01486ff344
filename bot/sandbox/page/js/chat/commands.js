// The command menu: the Menu button opens it whole, typing "/" filters it.

import { $, h, icon } from "../dom.js";

/** `send(text)` sends the chosen command; `complete(text)` writes it into the field. */
export function commandMenu({ send, complete }) {
  const menu = $("#command-menu");
  const button = $("#menu-button");
  const field = $("#composer");
  let all = [];
  let chosen = -1;
  let whole = false;

  button.append(h("span", { class: "menu-icon" }, icon("menu"), icon("close")), h("span", { class: "menu-word" }, "Menu"));
  button.addEventListener("click", () => {
    if (menu.hidden) {
      whole = true;
      show(all);
    } else close();
  });
  document.addEventListener("pointerdown", (event) => {
    if (whole && !menu.contains(event.target) && !button.contains(event.target)) close();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && whole && close());

  function show(found) {
    chosen = -1;
    menu.replaceChildren(...found.map(({ command, description }, index) =>
      h("div", { class: "command-item", role: "option", id: `command-${index}`, "aria-selected": "false", data: { command },
        on: { click: () => pick(command) } },
      h("span", { class: "command-name" }, `/${command}`), h("span", { class: "command-what" }, description))));
    menu.hidden = found.length === 0;
    menu.scrollTop = 0;
    button.setAttribute("aria-expanded", String(!menu.hidden));
    field.removeAttribute("aria-activedescendant");
  }

  function close() {
    whole = false;
    chosen = -1;
    menu.hidden = true;
    button.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function pick(command) {
    close();
    send(`/${command}`);
  }

  function choose(step) {
    const items = [...menu.children];
    chosen = (chosen + step + items.length + (chosen < 0 && step < 0 ? 1 : 0)) % items.length;
    items.forEach((item, index) => item.setAttribute("aria-selected", String(index === chosen)));
    items[chosen].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", items[chosen].id);
  }

  return {
    close,
    set(commands) {
      all = commands ?? [];
      button.hidden = all.length === 0;
      if (!menu.hidden) show(all);
    },
    filter(text) {
      const typed = /^\/(\S*)$/.exec(text);
      if (!typed) return close();
      const wanted = typed[1].toLowerCase();
      whole = false;
      show(all.filter(({ command }) => command.startsWith(wanted)));
    },
    /** Keys while it is open: arrows choose, Enter sends the chosen one, Tab writes it, Escape closes. True when used. */
    key(event) {
      if (menu.hidden) return false;
      const first = chosen < 0 ? 0 : chosen;
      if (event.key === "ArrowDown") choose(1);
      else if (event.key === "ArrowUp") choose(-1);
      else if (event.key === "Escape") close();
      else if (event.key === "Tab" && !event.shiftKey) complete(`/${menu.children[first].dataset.command} `);
      else if (event.key === "Enter" && !event.shiftKey && chosen >= 0) pick(menu.children[chosen].dataset.command);
      else return false;
      return true;
    },
  };
}
