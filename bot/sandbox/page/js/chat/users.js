// Who is writing: switch between people, or add one.

import { $, avatar, h, icon } from "../dom.js";
import { popover } from "../popover.js";

const NAMES = ["Ada", "Ben", "Chidi", "Dora", "Emil", "Farah", "Goran", "Hana", "Ivo", "Jun", "Kira", "Leo", "Mina", "Noor"];

/** `choose(id)` switches, `add(name)` makes a person, `toast` shows what failed. */
export function userSwitch({ choose, add, toast }) {
  const button = $("#user-switch");
  let users = [];
  let current = null;

  const menu = popover(button, $("#user-menu"), (close) => [
    h("p", { class: "popover-title" }, "Write as"),
    ...users.map((user) => h("button", { type: "button", class: "popover-item", "aria-pressed": String(user.id === current),
      data: { userId: String(user.id) }, on: { click: () => { close(); choose(user.id); } } },
    avatar(user), h("span", { class: "popover-text" }, nameOf(user), user.blocked ? h("small", {}, "stopped the bot") : null),
    user.id === current ? icon("check") : null)),
    newPerson(close),
  ]);

  function newPerson(close) {
    const free = NAMES.find((name) => users.every((user) => user.first_name !== name)) ?? `Person ${users.length + 1}`;
    const name = h("input", { type: "text", maxlength: "64", value: free, "aria-label": "Name of the new person", data: { testid: "new-user-name" } });
    const form = h("form", { class: "new-person" }, name,
      h("button", { type: "submit", data: { testid: "new-user" }, "aria-label": "Add this person" }, icon("plus"), "Add"));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!name.value.trim()) return name.focus();
      try {
        await add(name.value.trim());
        close();
      } catch (failure) {
        toast(failure.message);
      }
    });
    return form;
  }

  return {
    set(found, id) {
      users = found;
      current = id;
      const user = users.find((other) => other.id === id);
      if (user) {
        button.replaceChildren(avatar(user), h("span", { class: "user-name" }, nameOf(user)), icon("down"));
        button.setAttribute("aria-label", `You write as ${nameOf(user)}. Change person.`);
      }
      menu.refresh();
    },
  };
}

export const nameOf = (user) => user.first_name || `User ${user.id}`;
