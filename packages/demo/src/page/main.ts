// SPDX-License-Identifier: Apache-2.0
// The page: a choice of machines, then one of them.
import { OperatorError } from "@isola/base";
import type { MachineClient } from "@isola/host-browser";
import { CATALOGUE_PATH, type Catalogue } from "../catalogue.js";
import { type Choice, Chooser } from "./chooser.js";
import { Controls } from "./controls.js";
import { DisksDialog } from "./disks-dialog.js";
import { button, element } from "./element.js";
import { attempt, complain, notice } from "./notices.js";
import { Session, startWorker } from "./session.js";
import { setUpTheme } from "./theme.js";

async function fetchCatalogue(): Promise<Catalogue> {
  const response = await fetch(CATALOGUE_PATH).catch(() => null);
  if (response?.ok !== true)
    throw new OperatorError("no-server", 'The demo server does not answer; start it with "npm run demo" and reload.');
  return (await response.json()) as Catalogue;
}

/** What a machine cannot do without, for browsers that are too old or locked down. */
function missing(): string | null {
  if (typeof WebAssembly !== "object") return "WebAssembly is missing or switched off in this browser.";
  if (typeof Worker !== "function") return "This browser has no workers.";
  if (!("storage" in navigator && "getDirectory" in navigator.storage))
    return "This browser cannot keep files for a site (OPFS); use a current one, and no private window.";
  return null;
}

async function main(): Promise<void> {
  setUpTheme();
  const lack = missing();
  if (lack !== null) return notice(lack, "error");
  const catalogue = await fetchCatalogue();
  const token = document.querySelector<HTMLMetaElement>('meta[name="isola-token"]')?.content ?? "";
  let session: Session | null = null;
  let idle: MachineClient | null = null;
  const controls = new Controls(leave);
  const chooser = new Chooser(catalogue, token, (choice) => void run(choice));
  function leave(): void {
    controls.attach(null);
    session?.close();
    session = null;
    element("title", HTMLParagraphElement).textContent = "";
    chooser.show();
  }
  async function run(choice: Choice): Promise<void> {
    chooser.hide();
    idle?.close();
    idle = null;
    session = new Session(choice, (state) => controls.update(state));
    controls.attach(session);
    await session.start();
  }
  const quiet = { event() {}, serial() {}, sound() {}, progress() {}, warning() {}, broken: complain };
  const sources = catalogue.machines.flatMap((machine) => (machine.available ? Object.values(machine.disks) : []));
  const dialog = new DisksDialog(sources, () => session?.client ?? (idle ??= startWorker(quiet)));
  button("disks-open").addEventListener("click", () => attempt(() => dialog.open()));
  chooser.show();
}

main().catch(complain);
