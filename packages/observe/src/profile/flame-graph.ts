// SPDX-License-Identifier: Apache-2.0
import { FLAME_SCRIPT } from "./flame-script.js";
import { flameTree, type FlameNode } from "./flame-tree.js";
import type { Profile } from "./profile.js";

const WIDTH = 1200;
const ROW = 17;
const MARGIN = 10;
const HEADER = 52;
const FOOTER = 30;
/** Boxes narrower than this many units are left out. */
const MIN_WIDTH = 0.1;
/** Width of a character of the font, for the first look; the script measures nothing either. */
const CHARACTER = 6.6;

const escapes: { readonly [character: string]: string } = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => escapes[character] ?? character);

/** A number of few characters. */
const short = (value: number): string => String(Math.round(value * 100) / 100);

function hash(name: string): number {
  let value = 0;
  for (let i = 0; i < name.length; i++) value = (Math.imul(value, 31) + name.charCodeAt(i)) >>> 0;
  return value;
}

/** Kernel functions are warm, programs green, what is neither is grey; the shade tells neighbours apart. */
function colour(name: string, user: boolean, inside: boolean): string {
  const shade = hash(name);
  if (!inside || name.startsWith("[")) return `hsl(220,8%,${78 + (shade % 8)}%)`;
  return user
    ? `hsl(${95 + (shade % 40)},55%,${62 + ((shade >> 8) % 12)}%)`
    : `hsl(${10 + (shade % 40)},85%,${62 + ((shade >> 8) % 12)}%)`;
}

function duration(ns: number): string {
  return ns >= 1e9 ? `${(ns / 1e9).toFixed(2)} s` : `${(ns / 1e6).toFixed(2)} ms`;
}

/** The label of a box, cut to its width; empty where two characters do not fit. */
export function fitted(name: string, width: number): string {
  const room = Math.floor((width - 4) / CHARACTER);
  if (name.length <= room) return name;
  return room < 3 ? "" : `${name.slice(0, room - 2)}..`;
}

/** Whether each box stands on "user" or "kernel", by the box of depth 1 that it stands on. */
function privilegeOf(boxes: readonly FlameNode[]): string[] {
  let base = "";
  return boxes.map(({ depth, name }) => {
    if (depth <= 1) base = depth === 1 ? name : "";
    return base;
  });
}

/**
 * A flame graph as one SVG file that needs nothing else. Width is time, the guest's outermost function is at the bottom.
 * In a browser, a click on a box shows it and what it calls in full width, and a field finds functions by name.
 */
export function flameGraph(profile: Profile, title: string): string {
  const boxes = flameTree(profile, "all");
  const total = Math.max(profile.time, 1);
  const scale = (WIDTH - 2 * MARGIN) / total;
  const visible = boxes.map((box) => box.time * scale >= MIN_WIDTH);
  const depth = boxes.reduce((deepest, box, i) => (visible[i] === true ? Math.max(deepest, box.depth) : deepest), 0);
  const height = HEADER + (depth + 1) * ROW + FOOTER;
  const privileges = privilegeOf(boxes);
  const rows = boxes.map((box, i) => {
    if (visible[i] !== true) return "";
    const x = MARGIN + box.start * scale;
    const width = box.time * scale;
    const y = HEADER + (depth - box.depth) * ROW;
    const user = privileges[i] === "user";
    const inside = user || privileges[i] === "kernel";
    const name = escaped(box.name);
    const share = ((box.time * 100) / total).toFixed(2);
    return (
      `<g class="f" data-n="${name}" data-s="${short(box.start / 1000)}" data-t="${short(box.time / 1000)}" data-d="${box.depth}">` +
      `<title>${name}: ${duration(box.time)}, ${share}%</title>` +
      `<rect x="${short(x)}" y="${y}" width="${short(width)}" height="${ROW - 1}" fill="${colour(box.name, user, inside)}"/>` +
      `<text x="${short(x + 3)}" y="${y + 12}">${escaped(fitted(box.name, width))}</text></g>\n`
    );
  });
  const samples = `${profile.samples} samples, ${duration(profile.time)} of host time`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="monospace" font-size="11">
<style>.f{cursor:pointer}.f:hover rect{stroke:#000;stroke-width:.7}.f text{pointer-events:none}.found rect{fill:#b05cff}</style>
<rect width="100%" height="100%" fill="#fdfdf8"/>
<text x="${WIDTH / 2}" y="22" text-anchor="middle" font-size="16">${escaped(title)}</text>
<text x="${WIDTH / 2}" y="40" text-anchor="middle" fill="#666">${escaped(samples)}</text>
<text id="reset" x="${MARGIN}" y="22" style="cursor:pointer;display:none">&lt; all</text>
<text id="find" x="${WIDTH - MARGIN}" y="22" text-anchor="end" style="cursor:pointer">find</text>
<text id="info" x="${MARGIN}" y="${height - 10}"> </text>
<g id="frames">
${rows.join("")}</g>
<script><![CDATA[
${FLAME_SCRIPT(WIDTH, MARGIN, CHARACTER)}
]]></script>
</svg>
`;
}
