// SPDX-License-Identifier: Apache-2.0
import type { DiskSource, MachineClient, StoredFile } from "@isola/host-browser";
import { button, download, element, make, sizeText } from "./element.js";
import { attempt, notice } from "./notices.js";

/** The list of disks that the browser keeps, to export, replace or delete. */
export class DisksDialog {
  private readonly dialog = element("disks-dialog", HTMLDialogElement);
  private readonly list = element("disks-list", HTMLUListElement);
  private readonly picker = element("import-file", HTMLInputElement);
  private importName = "";

  /**
   * @param sources disks of which it is known what they are based on
   * @param client the worker that may use the disks now
   */
  constructor(
    private readonly sources: readonly DiskSource[],
    private readonly client: () => MachineClient,
  ) {
    button("disks-close").addEventListener("click", () => this.dialog.close());
    this.picker.addEventListener("change", () => attempt(() => this.import()));
  }

  /** Shows the list as it is now. */
  async open(): Promise<void> {
    this.show(await this.client().call("disks", null));
    if (!this.dialog.open) this.dialog.showModal();
  }

  private show(files: readonly StoredFile[]): void {
    const own = files.filter(({ name }) => name !== "export.qcow2");
    this.list.replaceChildren(...own.map((file) => this.line(file)));
    if (own.length === 0) this.list.append(make("li", "", "There are none yet."));
  }

  private line({ name, size }: StoredFile): HTMLLIElement {
    const line = make("li");
    line.append(make("span", "name", `${name} (${sizeText(size)})`));
    const add = (text: string, action: () => void | Promise<void>): HTMLButtonElement => {
      const control = make("button", "", text);
      control.type = "button";
      control.addEventListener("click", () => attempt(action));
      line.append(control);
      return control;
    };
    const source = this.sources.find((one) => one.kind === "kept" && one.name === name);
    const out = add("Export", () => this.export(name, source));
    out.disabled = source === undefined;
    if (out.disabled) out.title = "It holds changes to a file of yours; start a machine with that file to see them";
    add("Replace…", () => {
      this.importName = name;
      this.picker.click();
    });
    add("Delete", async () => {
      if (!confirm(`Delete the disk "${name}" and everything on it?`)) return;
      await this.client().call("delete-disk", { name });
      await this.open();
    });
    return line;
  }

  private async export(name: string, source: DiskSource | undefined): Promise<void> {
    if (source === undefined) return;
    notice(`Exporting "${name}"; the download begins when it is done.`);
    download(await this.client().call("export-disk", source), `${name}.qcow2`);
  }

  private async import(): Promise<void> {
    const file = this.picker.files?.[0];
    this.picker.value = "";
    if (file === undefined) return;
    const image = { kind: "file", name: file.name, file } as const;
    await this.client().call("import-disk", { name: this.importName, image });
    notice(`"${this.importName}" holds what is in ${file.name} now.`);
    await this.open();
  }
}
