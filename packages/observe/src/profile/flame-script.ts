// SPDX-License-Identifier: Apache-2.0

/** The script of a flame graph: zooms on a click, finds by name, shows what the pointer is over. */
export const FLAME_SCRIPT = (width: number, margin: number, character: number): string => `"use strict";
(() => {
  const boxes = [...document.querySelectorAll(".f")].map((g) => ({
    g, rect: g.querySelector("rect"), text: g.querySelector("text"), title: g.querySelector("title").textContent,
    name: g.dataset.n, start: +g.dataset.s, time: +g.dataset.t, depth: +g.dataset.d,
  }));
  const byId = (id) => document.getElementById(id);
  const label = (name, room) => name.length <= room ? name : room < 3 ? "" : name.slice(0, room - 2) + "..";
  function show(target) {
    const scale = (${width} - 2 * ${margin}) / target.time;
    const slack = target.time * 1e-6 + 0.02;
    for (const box of boxes) {
      const within = box.start >= target.start - slack && box.start + box.time <= target.start + target.time + slack;
      const below = box.depth < target.depth && box.start <= target.start + slack &&
        box.start + box.time >= target.start + target.time - slack;
      const visible = below || (within && box.depth >= target.depth);
      box.g.style.display = visible ? "" : "none";
      if (!visible) continue;
      const x = below ? ${margin} : ${margin} + (box.start - target.start) * scale;
      const w = below ? ${width} - 2 * ${margin} : box.time * scale;
      box.rect.setAttribute("x", x);
      box.rect.setAttribute("width", Math.max(w, 0));
      box.g.style.opacity = below ? 0.5 : 1;
      box.text.setAttribute("x", x + 3);
      box.text.textContent = label(box.name, Math.floor((w - 4) / ${character}));
    }
    byId("reset").style.display = target.depth === 0 ? "none" : "";
  }
  for (const box of boxes) {
    box.g.addEventListener("click", () => show(box));
    box.g.addEventListener("mouseover", () => { byId("info").textContent = box.title; });
  }
  byId("reset").addEventListener("click", () => show(boxes[0]));
  byId("find").addEventListener("click", () => {
    const word = prompt("Functions whose name holds:");
    if (word === null) return;
    const found = boxes.filter((box) => word !== "" && box.name.includes(word));
    for (const box of boxes) box.g.classList.toggle("found", found.includes(box));
    // Boxes inside a found one are part of its time already.
    let time = 0, end = -1;
    for (const box of found.sort((a, b) => a.start - b.start || b.time - a.time)) {
      if (box.start < end - 0.02) continue;
      time += box.time;
      end = box.start + box.time;
    }
    byId("info").textContent = word === "" ? " " : "found: " + (time * 100 / boxes[0].time).toFixed(2) + "% of the time";
  });
})();`;
