// The last frames as bars: where each was, how long it waited, how long it was worked on.

import { el, svg } from "./dom.js";
import { ms } from "./words.js";

const ROW = 18;
const LEFT = 110;
const WIDTH = 900;

export function waterfall(frames, stages) {
  const longest_ms = Math.max(...frames.map((frame) => frame.total_ms), 1);
  const scale = (WIDTH - LEFT - 60) / longest_ms;
  const rows = frames.flatMap((frame, place) => bars(frame, place, scale, stages));
  const height = frames.length * ROW + 24;
  const label = `The last ${frames.length} frames; the slowest took ${ms(longest_ms)} ms. The table below has the figures.`;
  const chart = svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": label, class: "waterfall" }, ...axis(longest_ms, scale, height), ...rows);
  return el("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": "Waterfall of frames" }, chart);
}

function bars(frame, place, scale, stages) {
  const y = place * ROW + 2;
  const name = svg("text", { x: LEFT - 8, y: y + 11, class: "label", "text-anchor": "end" }, `${frame.camera} ${frame.seq}`.slice(-16));
  const whole = svg("rect", { x: LEFT, y: y + 5, width: Math.max(frame.total_ms * scale, 1), height: 3, class: "waiting" });
  const visits = frame.visits.map((visit) => {
    const width = Math.max((visit.to_ms - visit.from_ms) * scale, 1);
    const tip = svg("title", {}, `${visit.stage}: ${ms(visit.to_ms - visit.from_ms)} ms`);
    return svg("rect", { x: LEFT + visit.from_ms * scale, y, width, height: ROW - 5, class: `stage-${colour(visit.stage, stages)}` }, tip);
  });
  const total = svg("text", { x: LEFT + frame.total_ms * scale + 6, y: y + 11, class: "label" }, `${ms(frame.total_ms)} ms`);
  return [name, whole, ...visits, total];
}

function axis(longest_ms, scale, height) {
  const step = niceStep(longest_ms / 6);
  const lines = [];
  for (let at = 0; at <= longest_ms; at += step) {
    const x = LEFT + at * scale;
    lines.push(svg("line", { x1: x, x2: x, y1: 0, y2: height - 20, class: "grid" }));
    lines.push(svg("text", { x, y: height - 6, class: "label", "text-anchor": "middle" }, `${Math.round(at * 100) / 100} ms`));
  }
  return lines;
}

function niceStep(about) {
  const power = 10 ** Math.floor(Math.log10(about));
  return [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= about);
}

export function colour(stage, stages) {
  return Math.max(stages.indexOf(stage), 0) % 6;
}

export function legend(stages) {
  const items = stages.map((stage) => el("li", {}, el("i", { class: `stage-${colour(stage, stages)}` }), stage));
  return el("ul", { class: "legend" }, items, el("li", {}, el("i", { class: "waiting" }), "waiting"));
}
