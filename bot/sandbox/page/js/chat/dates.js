// The date_time entity: a moment shown in the reader's own zone.

import { h } from "../dom.js";

const PARTS = {
  w: { weekday: "long" },
  d: { day: "numeric", month: "numeric", year: "2-digit" },
  D: { day: "numeric", month: "long", year: "numeric" },
  t: { hour: "2-digit", minute: "2-digit" },
  T: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
};
const STEPS = [["second", 60], ["minute", 60], ["hour", 24], ["day", 30], ["month", 12], ["year", Infinity]];

/** `date_time_format` is "r" for "in 4 hours", or letters of w, d or D, t or T; without it the sender's own text stands. */
export function dateTime(entity, content) {
  const moment = new Date(entity.unix_time * 1000);
  if (Number.isNaN(moment.getTime())) return h("span", {}, content);
  const full = moment.toLocaleString("en-GB", { dateStyle: "full", timeStyle: "short" });
  const shown = entity.date_time_format ? written(moment, entity.date_time_format) : content;
  return h("time", { datetime: moment.toISOString(), title: full, class: "date-time" }, shown);
}

function written(moment, format) {
  if (format === "r") return relative(moment);
  const options = Object.assign({}, ...[...format].map((letter) => PARTS[letter] ?? {}));
  return moment.toLocaleString("en-GB", options);
}

function relative(moment) {
  let value = (moment - Date.now()) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(value) < size) return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.round(value), unit);
    value /= size;
  }
  return moment.toISOString();
}
