// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { element, make } from "./element.js";

const NOTICE_MS = 8000;

/** A line for the user; errors stay until they are closed. */
export function notice(text: string, kind: "info" | "error" = "info"): void {
  const place = element("notices", HTMLDivElement);
  const line = make("div", kind === "error" ? "notice error" : "notice");
  if (kind === "error") line.setAttribute("role", "alert");
  line.append(make("span", "", text));
  const close = make("button", "", "Close");
  close.type = "button";
  close.addEventListener("click", () => line.remove());
  line.append(close);
  place.append(line);
  if (kind === "info") setTimeout(() => line.remove(), NOTICE_MS);
}

/** Tells what went wrong. What is no operator's mistake is a bug of ours, and is called one. */
export function complain(error: unknown): void {
  if (error instanceof OperatorError) return notice(error.message, "error");
  const text = error instanceof Error ? error.message : String(error);
  notice(`This is a bug in Isola: ${text}`, "error");
}

/** Runs what a control does, and complains if it fails. */
export function attempt(action: () => void | Promise<void>): void {
  void (async () => action())().catch(complain);
}
