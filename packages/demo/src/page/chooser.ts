// SPDX-License-Identifier: Apache-2.0
import { type MachineRequest, NETWORK_LINK } from "@isola/host-browser";
import type { Catalogue, MissingMachine, OfferedMachine } from "../catalogue.js";
import { button, element, make, sizeText } from "./element.js";
import { DRIVES, type Drive, forgetful, insertMedia, type Medium, mediumOfAddress, mediumOfFile } from "./media.js";
import { notice } from "./notices.js";

const DRIVE_NAMES: { readonly [K in Drive]: string } = { cdrom: "CD", disk: "Disk", floppy: "Floppy" };

/** A machine that somebody wants to start. */
export interface Choice {
  readonly offer: OfferedMachine;
  readonly request: MachineRequest;
}

/** An address of the range that is left to whoever makes machines. */
function randomMac(): string {
  const bytes = [0x52, 0x54, 0x00, ...crypto.getRandomValues(new Uint8Array(3))];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** The form in which a machine is chosen. */
export class Chooser {
  private readonly form = element("choose", HTMLFormElement);
  private readonly memory = element("memory", HTMLSelectElement);
  private readonly network = element("network", HTMLInputElement);
  private readonly forget = element("forget", HTMLInputElement);
  private readonly media: Medium[] = [];

  constructor(
    private readonly catalogue: Catalogue,
    private readonly token: string,
    onStart: (choice: Choice) => void,
  ) {
    const cards = element("machines", HTMLFieldSetElement);
    for (const machine of catalogue.machines) cards.append(this.card(machine));
    const first = cards.querySelector<HTMLInputElement>("input:enabled");
    if (first !== null) first.checked = true;
    else notice("The server has no machine to offer; its terminal says why.", "error");
    cards.addEventListener("change", () => this.chosen());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const choice = this.choice();
      if (choice !== null) onStart(choice);
    });
    this.network.checked = this.network.checked && catalogue.network !== null;
    this.network.disabled = catalogue.network === null;
    this.setUpFiles();
    this.chosen();
  }

  show(): void {
    this.form.hidden = false;
  }

  hide(): void {
    this.form.hidden = true;
  }

  private card(machine: OfferedMachine | MissingMachine): HTMLLabelElement {
    const label = make("label", "card");
    const input = make("input");
    input.type = "radio";
    input.name = "machine";
    input.value = machine.id;
    input.disabled = !machine.available;
    label.append(input, make("strong", "", machine.title), make("span", "", machine.summary));
    if (!machine.available) label.append(make("span", "reason", machine.reason));
    return label;
  }

  private selected(): OfferedMachine | null {
    const id = new FormData(this.form).get("machine");
    const found = this.catalogue.machines.find((machine) => machine.id === id);
    return found?.available === true ? found : null;
  }

  private chosen(): void {
    const offer = this.selected();
    button("start").disabled = offer === null;
    if (offer !== null) this.memory.value = String(offer.config.memory);
  }

  private choice(): Choice | null {
    const offer = this.selected();
    if (offer === null) return null;
    const { modules, network } = this.catalogue;
    const media = insertMedia({ config: offer.config, disks: offer.disks }, this.media);
    const disks = Object.entries(media.disks).map(
      ([store, source]) => [store, this.forget.checked ? forgetful(source) : source] as const,
    );
    const online = this.network.checked && network !== null;
    const card = offer.config.preset === "pc" ? "e1000" : "virtio";
    const absolute = (path: string): string => new URL(path, location.href).href;
    const request: MachineRequest = {
      config: {
        ...media.config,
        memory: Number(this.memory.value),
        networks: online ? [{ card, link: NETWORK_LINK, mac: randomMac() }] : [],
      },
      modules: { helpers: absolute(modules.helpers), interpreter: absolute(modules.interpreter) },
      files: Object.fromEntries(
        Object.entries(offer.files).map(([name, path]) => [name, { kind: "url", url: absolute(path) }]),
      ),
      disks: Object.fromEntries(disks),
      network: online ? { relay: this.relayAddress(network.relay), hostLoopback: network.hostLoopback } : null,
      translations: { name: this.guestName(offer), version: this.catalogue.version },
      onGuestReset: "restart",
    };
    return { offer, request };
  }

  /** Guests that start from the same things execute much the same code. A wrong guess costs time only. */
  private guestName({ id }: OfferedMachine): string {
    const parts = [id, ...this.media.map(({ name }) => name.replace(/[^\w.-]/g, "_").slice(-30))];
    return parts.join("-").slice(0, 100);
  }

  private relayAddress(path: string): string {
    const url = new URL(path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("token", this.token);
    return url.href;
  }

  private setUpFiles(): void {
    const files = element("files", HTMLInputElement);
    const drop = element("drop", HTMLLabelElement);
    const address = element("address", HTMLInputElement);
    const take = (list: Iterable<File> | null): void => {
      for (const file of list ?? []) this.add(mediumOfFile(file));
    };
    files.addEventListener("change", () => {
      take(files.files);
      files.value = "";
    });
    for (const type of ["dragenter", "dragover"])
      this.form.addEventListener(type, (event) => {
        event.preventDefault();
        drop.classList.add("over");
      });
    this.form.addEventListener("dragleave", () => drop.classList.remove("over"));
    this.form.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("over");
      take(event.dataTransfer?.files ?? null);
    });
    button("add-address").addEventListener("click", () => {
      if (address.value === "" || !address.reportValidity()) return;
      this.add(mediumOfAddress(address.value));
      address.value = "";
    });
  }

  private add(medium: Medium): void {
    this.media.push(medium);
    // Images are for a machine with drives, unless one was chosen on purpose.
    const pc = this.form.querySelector<HTMLInputElement>('input[value="pc"]:enabled');
    if (this.media.length === 1 && pc !== null) {
      pc.checked = true;
      this.chosen();
    }
    const line = make("li");
    const drive = make("select");
    drive.setAttribute("aria-label", `Drive for ${medium.name}`);
    for (const kind of DRIVES) drive.append(new Option(DRIVE_NAMES[kind], kind, false, kind === medium.drive));
    drive.addEventListener("change", () => (medium.drive = drive.value as Drive));
    const remove = make("button", "", "Remove");
    remove.type = "button";
    remove.addEventListener("click", () => {
      this.media.splice(this.media.indexOf(medium), 1);
      line.remove();
    });
    const size = medium.size === null ? "on a web server" : sizeText(medium.size);
    line.append(make("span", "name", `${medium.name} (${size})`), drive, remove);
    element("chosen", HTMLUListElement).append(line);
  }
}
