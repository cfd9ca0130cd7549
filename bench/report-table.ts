// SPDX-License-Identifier: Apache-2.0
// Markdown tables and the figures in them.
import { geometricMean, type Spread } from "./statistics.js";

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |\n`;

/** A table whose first column is text and whose other columns are figures. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return row(head) + row(head.map((_, i) => (i === 0 ? "---" : "---:"))) + rows.map(row).join("");
}

/** Three significant digits or so. */
export const plain = (value: number): string => value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
export const whole = (value: number): string => value.toFixed(0);

/** A median with its range; only the figure if there is one sample, and a dash if there is none. */
export function withRange(values: Spread | null, format: (value: number) => string = plain): string {
  if (values === null) return "–";
  const { median, min, max, count } = values;
  return count === 1 ? format(median) : `${format(median)} (${format(min)}–${format(max)})`;
}

/** The geometric mean of ratios, or a dash. */
export const mean = (ratios: readonly number[]): string => (ratios.length === 0 ? "–" : plain(geometricMean(ratios)));
