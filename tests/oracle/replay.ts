// SPDX-License-Identifier: Apache-2.0
import { compareResult } from "./compare.js";
import { StateImage } from "./state-image.js";
import { FAMILIES, Note, Vector, type Family, type VectorFile } from "./vector-file.js";
import type { VectorTarget } from "./vector-target.js";
import { WindowCheck } from "./window-check.js";

export interface ReplayOptions {
  /** Leave out vectors for which this is false. */
  readonly select?: (vector: Vector) => boolean;
  /** Also compare faults that depend on the CPU model ({@link Note.ModelFault}). */
  readonly strict?: boolean;
  /** How many mismatches to describe in full; all are counted. */
  readonly describe?: number;
}

export interface Mismatch {
  readonly index: number;
  readonly name: string;
  readonly family: Family;
  /** Instruction bytes in hexadecimal. */
  readonly code: string;
  readonly lines: readonly string[];
}

export interface ReplayResult {
  run: number;
  bad: number;
  readonly runByFamily: Record<Family, number>;
  readonly badByFamily: Record<Family, number>;
  readonly badByName: Map<string, number>;
  readonly mismatches: Mismatch[];
}

function emptyResult(): ReplayResult {
  const zero = (): Record<Family, number> => Object.fromEntries(FAMILIES.map((f) => [f, 0])) as Record<Family, number>;
  return { run: 0, bad: 0, runByFamily: zero(), badByFamily: zero(), badByName: new Map(), mismatches: [] };
}

/** Runs every selected vector of a file on `target` and compares. */
export function replay(file: VectorFile, target: VectorTarget, options: ReplayOptions = {}): ReplayResult {
  const result = emptyResult();
  const limit = options.describe ?? 20;
  const vector = new Vector();
  const actual = new StateImage();
  target.prepare(file.environment);
  const memory = new WindowCheck(target, file.environment);
  file.rewind();
  for (let index = 0; index < file.count; index++) {
    file.next(vector);
    if (options.select !== undefined && !options.select(vector)) continue;
    if ((vector.notes & Note.ModelFault) !== 0 && options.strict !== true) continue;
    const lines = runOne(vector, target, memory, actual);
    result.run++;
    result.runByFamily[vector.row.family]++;
    if (lines === null) continue;
    const { name, family } = vector.row;
    result.bad++;
    result.badByFamily[family]++;
    result.badByName.set(name, (result.badByName.get(name) ?? 0) + 1);
    if (result.mismatches.length < limit) {
      result.mismatches.push({ index, name, family, code: Buffer.from(vector.code).toString("hex"), lines });
    }
  }
  return result;
}

function runOne(vector: Vector, target: VectorTarget, memory: WindowCheck, actual: StateImage): string[] | null {
  memory.apply(vector.code, vector.patches);
  target.setState(vector.before);
  target.step();
  target.getState(actual);
  let lines = compareResult(vector, actual, target.outcome);
  if (vector.notes & Note.MemoryFree) {
    memory.restoreAll();
    return lines;
  }
  const wrong = memory.check(vector.changes);
  if (wrong.length > 0) {
    lines = [...(lines ?? []), ...wrong];
    memory.restoreAll();
  } else {
    memory.restore(vector.patches);
    memory.restore(vector.changes);
  }
  return lines;
}

/** The result as text: counts by family, names with mismatches, and the first mismatches in full. */
export function report(result: ReplayResult): string {
  const lines = [`${result.run} vectors, ${result.bad} bad`];
  for (const family of FAMILIES) {
    if (result.runByFamily[family] > 0)
      lines.push(`  ${family}: ${result.runByFamily[family]}, ${result.badByFamily[family]} bad`);
  }
  const names = [...result.badByName].toSorted((a, b) => b[1] - a[1]);
  for (const [name, count] of names.slice(0, 60)) lines.push(`  bad ${name}: ${count}`);
  const grouped = [...result.mismatches].toSorted((a, b) => a.name.localeCompare(b.name) || a.index - b.index);
  for (const m of grouped) {
    lines.push(`#${m.index} ${m.name} (${m.family}) ${m.code}`, ...m.lines.map((line) => `    ${line}`));
  }
  return lines.join("\n");
}
