// Building elements. Data only ever enters the page as text nodes and attributes, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element with properties and children. `on` holds listeners, `data` the data-attributes, the rest are attributes. */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same for SVG. */
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "data") {
      for (const [key, item] of Object.entries(value)) element.dataset[key] = item;
    } else {
      element.setAttribute(name === "class" ? "class" : name, value === true ? "" : String(value));
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const $ = (selector, root = document) => root.querySelector(selector);

const ICONS = {
  send: ["M3.4 20.4 21 12 3.4 3.6 3.4 10.2 15 12 3.4 13.8z", true],
  clip: ["M20 11.5 12.3 19a5 5 0 0 1-7-7l8-8a3.4 3.4 0 0 1 4.8 4.8l-7.7 7.7a1.7 1.7 0 0 1-2.4-2.4l6.9-6.9"],
  menu: ["M4 7h16M4 12h16M4 17h10"],
  more: ["M12 5.2v.1M12 12v.1M12 18.8v.1"],
  chart: ["M4 18l5-6 4 3 7-9M15.5 6H20v4.5"],
  down: ["M6 9.5l6 6 6-6"],
  close: ["M6 6l12 12M18 6L6 18"],
  check: ["M4 12.5l5 5L20 6.5"],
  plus: ["M12 5v14M5 12h14"],
  file: ["M7 3h7l5 5v13H7zM14 3v5h5"],
  pin: ["M9 4h6l-1 6 4 3v2H6v-2l4-3zM12 15v6"],
  bellOff: ["M5 17h14l-2-3V9.5a5 5 0 0 0-8.5-3.5M7 10v4l-2 3M10 20h4M4 4l16 16"],
  keyboard: ["M3 6h18v12H3zM7 10h.1M11 10h.1M15 10h.1M7 14h10"],
  link: ["M8 16L17 7M9.5 7H17v7.5"],
  copy: ["M9 9h11v11H9zM5 15H4V4h11v1"],
  sun: ["M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5"],
  moon: ["M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z"],
  auto: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 3v18M12 8h7.6M12 12h8.8M12 16h7.6"],
  stop: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M5.8 5.8l12.4 12.4"],
  pause: ["M8 5v14M16 5v14"],
};

/** A small line icon, hidden from screen readers: the control around it carries the name. */
export function icon(name) {
  const [path, filled] = ICONS[name];
  return svg("svg", { viewBox: "0 0 24 24", class: `icon${filled ? " filled" : ""}`, "aria-hidden": "true" },
    svg("path", { d: path }));
}

/** Two letters and a steady colour for a person. */
export function avatar(user) {
  const name = user.first_name || `User ${user.id}`;
  const letters = name.split(/\s+/).map((word) => [...word][0]).slice(0, 2).join("").toUpperCase();
  return h("span", { class: "avatar person", data: { hue: String(Math.abs(user.id) % 7) }, "aria-hidden": "true" }, letters);
}
