// Gain and loss since the hedge began, with the hedge and without it, over market time. Plain SVG.

import { h, svg } from "../dom.js";
import { money, utcClock, utcDay } from "../format.js";

const WIDTH = 460;
const HEIGHT = 132;
const PAD = { left: 4, right: 4, top: 10, bottom: 6 };
const MOST_POINTS = 480;
const LONGEST_STEP = 20;

/** Keeps each user's points; when there are too many, every second old one goes. */
export function tracks() {
  const users = new Map();
  return {
    add(userId, point) {
      const points = users.get(userId) ?? [];
      const last = points.at(-1);
      if (last && point.time <= last.time) return;
      points.push(point);
      users.set(userId, points.length > MOST_POINTS ? points.filter((_, index) => index % 2 === 0 || index > MOST_POINTS - 20) : points);
    },
    /** A market begun anew starts new lines. */
    clear: () => users.clear(),
    of: (userId) => users.get(userId) ?? [],
  };
}

/** Points `{time, unhedged, hedged}` (ms, money) and marks `{time, label}` -> a figure. */
export function chart(points, marks) {
  if (points.length < 2) return h("p", { class: "chart-empty" }, "The lines draw themselves as market time goes by.");
  const from = points[0].time;
  const to = points.at(-1).time;
  const values = points.flatMap((point) => [point.unhedged, point.hedged]);
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const slack = (high - low || 1) * 0.08;
  const x = axis(points.map((point) => point.time));
  const y = (value) => PAD.top + ((high + slack - value) / (high - low + 2 * slack)) * (HEIGHT - PAD.top - PAD.bottom);
  const path = (key) => points.map((point, index) => `${index ? "L" : "M"}${x(point.time).toFixed(1)} ${y(point[key]).toFixed(1)}`).join("");
  const last = points.at(-1);
  const figure = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img",
    "aria-label": `Hedged ${money(last.hedged, { signed: true })}, unhedged ${money(last.unhedged, { signed: true })}` },
    svg("path", { class: "between", d: `${path("hedged")}${[...points].reverse().map((point) => `L${x(point.time).toFixed(1)} ${y(point.unhedged).toFixed(1)}`).join("")}Z` }),
    svg("line", { class: "zero", x1: 0, x2: WIDTH, y1: y(0), y2: y(0) }),
    marks.filter(({ time }) => time >= from && time <= to).map(({ time, label }) => svg("g", { class: "mark" },
      svg("line", { x1: x(time), x2: x(time), y1: 0, y2: HEIGHT }),
      svg("title", {}, label))),
    svg("path", { class: "unhedged", d: path("unhedged") }),
    svg("path", { class: "hedged", d: path("hedged") }),
    svg("circle", { class: "unhedged-end", cx: x(to), cy: y(last.unhedged), r: 3 }),
    svg("circle", { class: "hedged-end", cx: x(to), cy: y(last.hedged), r: 3.5 }));
  return h("div", {}, figure, h("div", { class: "chart-times" }, h("span", {}, moment(from, to - from)), h("span", {}, moment(to, to - from))));
}

// Market time from left to right. A skipped week counts as no more than some usual steps, lest it squeeze all else
// into the edges; between two points the line is straight either way.
function axis(times) {
  const steps = times.slice(1).map((time, index) => time - times[index]);
  const usual = [...steps].sort((one, other) => one - other)[Math.floor(steps.length / 2)];
  const places = [0];
  for (const step of steps) places.push(places.at(-1) + Math.min(step, usual * LONGEST_STEP));
  const scale = (WIDTH - PAD.left - PAD.right) / places.at(-1);
  return (time) => {
    const next = Math.max(1, times.findIndex((other) => other >= time));
    const part = (time - times[next - 1]) / (times[next] - times[next - 1]);
    return PAD.left + scale * (places[next - 1] + part * (places[next] - places[next - 1]));
  };
}

function moment(time, span) {
  return span > 36 * 3_600_000 ? utcDay(time).replace(/ \d{4}$/, "") : utcClock(time);
}
