// SPDX-License-Identifier: Apache-2.0
import type { Profile } from "./profile.js";

/** A box of a flame graph: a function, called by the one below it. */
export interface FlameNode {
  readonly name: string;
  /** Host time in ns of this function and what it called. */
  readonly time: number;
  /** Time of everything to the left, from the start of the graph. */
  readonly start: number;
  /** Boxes below. */
  readonly depth: number;
}

interface Node {
  time: number;
  readonly children: Map<string, Node>;
}

/** Merges stacks into boxes, callers first. Boxes side by side are in the order of their names. */
export function flameTree({ stacks }: Profile, rootName: string): FlameNode[] {
  const root: Node = { time: 0, children: new Map() };
  for (const { frames, time } of stacks) {
    let node = root;
    node.time += time;
    for (const frame of frames) {
      let child = node.children.get(frame);
      if (child === undefined) node.children.set(frame, (child = { time: 0, children: new Map() }));
      child.time += time;
      node = child;
    }
  }
  const boxes: FlameNode[] = [];
  const place = (node: Node, name: string, start: number, depth: number): void => {
    boxes.push({ name, time: node.time, start, depth });
    let at = start;
    for (const [childName, child] of [...node.children].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      place(child, childName, at, depth + 1);
      at += child.time;
    }
  };
  place(root, rootName, 0, 0);
  return boxes;
}
