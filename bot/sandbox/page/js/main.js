// Puts the page together: one person's chat at a time, the live feed, and the market beside it.

import { $, h, icon } from "./dom.js";
import * as api from "./api.js";
import { follow } from "./events.js";
import { clock } from "./format.js";
import { popover } from "./popover.js";
import { setTheme, theme } from "./theme.js";
import { bubbles, summary } from "./chat/bubbles.js";
import { keyboards } from "./chat/buttons.js";
import { chatView } from "./chat/chat.js";
import { commandMenu } from "./chat/commands.js";
import { composer } from "./chat/composer.js";
import { notices } from "./chat/notices.js";
import { nameOf, userSwitch } from "./chat/users.js";
import { marketPanel } from "./market/panel.js";

const KEPT_USER = "hedgehog-user";
const TYPING_FOR = 5_500;

const state = { user: null, users: [], bot: "Hedgehog", pinned: null, online: false, typing: 0, stop: null, queue: null };
const botName = () => state.bot;
const current = () => state.users.find((user) => user.id === state.user) ?? null;

const notice = notices({ botName });
const chat = chatView({
  bubble: bubbles({
    botName,
    find: (id) => chat.get(id),
    actions: { command: (text) => write.submit(text), copy, photo: notice.photo, reveal: (id) => chat.reveal(id) },
    keyboards: keyboards({ tap: async (message, button) => (await api.tap(state.user, message, button)).answer ?? null, notice, copy }),
  }),
  welcome,
  onChange: refreshMode,
});
const commands = commandMenu({ send: (text) => write.submit(text), complete: (text) => {
  const field = $("#composer");
  field.value = text;
  field.dispatchEvent(new Event("input"));
  field.focus();
} });
const write = composer({
  send: (text) => api.sendText(state.user, text),
  sendFile: (name, content) => api.sendDocument(state.user, name, content),
  restart: () => attempt(async () => {
    await api.setBlocked(state.user, false);
    await loadUsers();
    await api.sendText(state.user, "/start");
  }),
  commands,
  toast: notice.toast,
});
const people = userSwitch({ choose, add, toast: notice.toast });
const market = marketPanel({ people: () => ({ user: current(), users: state.users }), choose, copy, toast: notice.toast });

async function attempt(action) {
  try {
    await action();
  } catch (failure) {
    notice.toast(failure.message);
  }
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    notice.toast("Copied");
  } catch {
    notice.toast(`Could not copy. The text is: ${text}`);
  }
}

function welcome() {
  return h("div", { class: "welcome" },
    h("img", { src: "assets/hedgehog.svg", alt: "", width: "72", height: "72" }),
    h("h2", {}, "What can this bot do?"),
    h("p", {}, "I look after altcoin holdings: I show what a falling market would do to them, propose a hedge in plain words, and keep watch once you have confirmed it."),
    h("p", {}, "Everything here is play money on a pretend market. Press START."));
}

function refreshMode() {
  write.setMode({ empty: chat.size === 0, blocked: current()?.blocked ?? false });
  showPinned();
}

function showStatus() {
  const status = $("#bot-status");
  const typing = state.online && state.typing > Date.now();
  status.textContent = !state.online ? "connecting…" : typing ? "typing" : "bot";
  status.classList.toggle("typing", typing);
  market.online(state.online);
}

function showPinned() {
  const bar = $("#pinned");
  const message = state.pinned === null ? null : chat.get(state.pinned);
  bar.hidden = !message;
  if (!message) return;
  bar.replaceChildren(h("span", { class: "pinned-words" }, h("strong", {}, "Pinned message"), h("span", {}, summary(message))), icon("pin"));
  bar.onclick = () => chat.reveal(message.id);
}

async function loadUsers() {
  state.users = await api.listUsers();
  if (!state.users.length) state.users = [await api.addUser("Ada")];
  people.set(state.users, state.user);
  refreshMode();
  market.refresh();
}

async function add(name) {
  const user = await api.addUser(name);
  await loadUsers();
  choose(user.id);
}

function choose(id) {
  state.stop?.();
  state.user = id;
  state.online = false;
  state.typing = 0;
  state.queue = [];
  try {
    localStorage.setItem(KEPT_USER, String(id));
  } catch {
    // Storage may be shut; the first person is then shown after a reload.
  }
  history.replaceState(null, "", `?user=${id}`);
  people.set(state.users, id);
  market.refresh();
  showStatus();
  state.stop = follow(id, {
    open: () => attempt(() => loadChat(id)),
    lost: () => {
      state.online = false;
      showStatus();
    },
    chat: (event) => (state.queue ? state.queue.push(event) : apply(event)),
    market: market.show,
  });
}

// What arrives while the chat is being read waits, and is applied on top of it.
async function loadChat(id) {
  state.queue ??= [];
  const read = await api.readChat(id);
  if (id !== state.user) return;
  state.bot = read.bot?.first_name ?? state.bot;
  $("#bot-name").textContent = state.bot;
  state.pinned = read.pinned ?? null;
  chat.load(read.messages);
  commands.set(read.commands);
  write.setKeyboard(read.keyboard);
  const waiting = state.queue ?? [];
  state.queue = null;
  waiting.forEach(apply);
  state.online = true;
  showStatus();
  await loadUsers();
}

function apply(event) {
  switch (event.kind) {
    case "message":
      if (event.message.from === "bot") {
        state.typing = 0;
        if (!chat.has(event.message.id)) market.news();
      }
      chat.put(event.message);
      break;
    case "edit":
      chat.put(event.message);
      break;
    case "delete":
      chat.remove(event.message_id);
      break;
    case "toast":
      notice.answer(event, event.message_id);
      break;
    case "action":
      state.typing = Date.now() + TYPING_FOR;
      setTimeout(showStatus, TYPING_FOR + 50);
      break;
    case "commands":
      commands.set(event.commands);
      break;
    case "pin":
      state.pinned = event.pinned ?? null;
      showPinned();
      break;
    case "keyboard":
      write.setKeyboard(event.keyboard);
      break;
    case "users":
      attempt(loadUsers);
      break;
    case "reload":
      attempt(() => loadChat(state.user));
      break;
    default:
  }
  showStatus();
}

popover($("#more"), $("#more-menu"), (close) => [
  h("p", { class: "popover-title" }, "Appearance"),
  h("div", { class: "themes", role: "group", "aria-label": "Appearance" }, [["auto", "auto", "Auto"], ["light", "sun", "Light"], ["dark", "moon", "Dark"]]
    .map(([choice, symbol, label]) => h("button", { type: "button", class: "theme", "aria-pressed": String(theme() === choice),
      data: { testid: `theme-${choice}` }, on: { click: () => { setTheme(choice); close(); } } }, icon(symbol), label))),
  current()?.blocked ? null : h("button", { type: "button", class: "popover-item danger", data: { testid: "stop-bot" },
    on: { click: () => { close(); attempt(async () => { await api.setBlocked(state.user, true); await loadUsers(); }); } } },
  icon("stop"), h("span", { class: "popover-text" }, "Stop the bot")),
].filter(Boolean));
$("#more").append(icon("more"));

function tellTime() {
  $("#phone-clock").textContent = clock(new Date());
}

async function begin() {
  setTheme(theme());
  tellTime();
  setInterval(tellTime, 10_000);
  try {
    await loadUsers();
  } catch {
    setTimeout(begin, 1_500);
    return;
  }
  const wanted = Number(new URLSearchParams(location.search).get("user") ?? localStorage.getItem(KEPT_USER));
  choose(state.users.some((user) => user.id === wanted) ? wanted : state.users[0].id);
  $("#composer").placeholder = "Message";
  document.title = `${state.bot}: try it as ${nameOf(current())}`;
}

begin();
