// Numbers and times as people read them.

const MINUS = "\u2212";
const sign = (text) => text.replace("-", MINUS);

export function price(value) {
  const number = Number(value);
  if (!Number.isFinite(number)) return "–";
  const size = Math.abs(number);
  const digits = size >= 1000 ? 0 : size >= 10 ? 2 : size >= 1 ? 3 : size >= 0.01 ? 4 : 7;
  return sign(number.toLocaleString("en-US", { minimumFractionDigits: Math.min(digits, 4), maximumFractionDigits: digits }));
}

export function money(value, { signed = false } = {}) {
  const number = Number(value);
  if (value === null || value === undefined || !Number.isFinite(number)) return "–";
  const digits = Math.abs(number) >= 1_000 ? 0 : 2;
  const text = Math.abs(number).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const zero = Number(Math.abs(number).toFixed(digits)) === 0;
  return `${zero ? "" : number < 0 ? MINUS : signed ? "+" : ""}$${text}`;
}

export function percent(fraction, digits = 1, { signed = true } = {}) {
  const number = Number(fraction) * 100;
  if (fraction === null || fraction === undefined || !Number.isFinite(number)) return "–";
  const text = Math.abs(number).toFixed(digits);
  return `${Number(text) === 0 ? "" : number < 0 ? MINUS : signed ? "+" : ""}${text}\u202f%`;
}

export function amount(value) {
  const number = Number(value);
  return Number.isFinite(number) ? sign(number.toLocaleString("en-US", { maximumFractionDigits: 6 })) : "–";
}

/** "gain", "loss" or "even": the class of a signed figure as it is written, so that a shown zero has no colour. */
export const tone = (text) => (text.startsWith("+") ? "gain" : text.startsWith(MINUS) ? "loss" : "even");

export function bytes(size) {
  if (size < 1024) return `${size} B`;
  return size < 1024 ** 2 ? `${(size / 1024).toFixed(1)} KB` : `${(size / 1024 ** 2).toFixed(1)} MB`;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const UTC_DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const UTC_CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });

export const clock = (date) => CLOCK.format(new Date(date));
export const utcDay = (date) => UTC_DAY.format(new Date(date));
export const utcClock = (date) => UTC_CLOCK.format(new Date(date));

export function day(date) {
  const then = new Date(date);
  const now = new Date();
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(then).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  const year = then.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return then.toLocaleDateString("en-GB", { day: "numeric", month: "long", year });
}

/** Time until a moment, counted from another: "in 3 h 20 min". */
export function until(moment, from) {
  const minutes = Math.round((new Date(moment) - new Date(from)) / 60_000);
  if (!Number.isFinite(minutes) || minutes <= 0) return "now";
  const hours = Math.floor(minutes / 60);
  return hours ? `in ${hours} h ${minutes % 60} min` : `in ${minutes} min`;
}
