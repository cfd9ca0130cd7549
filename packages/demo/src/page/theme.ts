// SPDX-License-Identifier: Apache-2.0
import { button } from "./element.js";

const KEY = "theme";

/** The button that switches between light and dark; without it the system decides. */
export function setUpTheme(): void {
  const root = document.documentElement;
  const kept = localStorage.getItem(KEY);
  if (kept !== null) root.dataset["theme"] = kept;
  button("theme").addEventListener("click", () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = root.dataset["theme"] ?? (dark ? "dark" : "light");
    const next = now === "dark" ? "light" : "dark";
    root.dataset["theme"] = next;
    localStorage.setItem(KEY, next);
  });
}
