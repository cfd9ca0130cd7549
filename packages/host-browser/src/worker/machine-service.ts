// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { CodeInMemory } from "@isola/isa-x86";
import type { KeyInput } from "@isola/machine";
import type { UserNetwork } from "@isola/network";
import { createVm, keysOf, type Vm, type VmmEvent } from "@isola/vmm";
import { SoundFeed } from "../audio/sound-feed.js";
import { monotonicClock } from "../clock.js";
import { CODE_FOLDER, DiskFolder } from "../disk/disk-folder.js";
import { exportDisk, importDisk } from "../disk/open-disk.js";
import { hostEntropy } from "../entropy.js";
import { browserEventLoop, type LoopHost } from "../event-loop.js";
import { openNetwork, type RelayedNetwork } from "../network/relayed-network.js";
import { saveNowAndThen } from "../translations/saving-times.js";
import { MAX_GUEST_BYTES, TranslationStore } from "../translations/translation-store.js";
import { hostWasm } from "../wasm-host.js";
import { toMessage } from "./error-message.js";
import { KeyTypist } from "./key-typist.js";
import { loadFiles, openDisks } from "./machine-files.js";
import {
  type AnyCall,
  type MachineRequest,
  NETWORK_LINK,
  PROTOCOL_VERSION,
  type ToPage,
  type ToWorker,
} from "./protocol.js";
import { ScreenFeed } from "./screen-feed.js";
import { SerialOutput } from "./serial-output.js";

const EXPORT = "export.qcow2";

/** Sends a message to the page; what is in `transfer` is not the worker's any more. */
export type PostToPage = (message: ToPage, transfer?: Transferable[]) => void;

/** The worker's side: one machine, its disks and its network, for the page that sends it messages. */
export class MachineService {
  private vm: Vm | null = null;
  private network: RelayedNetwork | null = null;
  private folder: Promise<DiskFolder> | null = null;
  private creating = false;
  private readonly screen: ScreenFeed;
  private readonly serial: SerialOutput;
  private readonly typist: KeyTypist;

  constructor(
    private readonly post: PostToPage,
    private readonly host: LoopHost,
  ) {
    this.screen = new ScreenFeed(() => host.now());
    this.serial = new SerialOutput(
      (port, bytes) => post({ type: "serial", port, bytes }, [bytes.buffer]),
      (task) => host.post(task),
    );
    this.typist = new KeyTypist((input) => this.press(input));
    post({ type: "hello", version: PROTOCOL_VERSION });
  }

  receive(message: ToWorker): void {
    switch (message.type) {
      case "call":
        void this.answer(message.id, message.call);
        return;
      case "input":
        if (this.vm?.state === "running") this.vm.perform(message.action);
        return;
      case "type":
        return this.typist.type(keysOf(message.text));
      case "serial-shown":
        return this.serial.shown(message.bytes);
    }
  }

  private async answer(id: number, call: AnyCall): Promise<void> {
    try {
      const value = await this.perform(call);
      const pixels = call.name === "screen" && typeof value === "object" && value !== null && "pixels" in value;
      this.post({ type: "answer", id, value }, pixels ? [value.pixels.buffer] : []);
    } catch (error) {
      this.post({ type: "failure", id, error: toMessage(error) });
    }
  }

  private async perform(call: AnyCall) {
    switch (call.name) {
      case "create":
        await this.create(call.request);
        return null;
      case "perform":
        this.machine().perform(call.request);
        return null;
      case "screen": {
        const { vm } = this;
        return this.screen.next({ picture: () => vm?.screen() ?? null }, call.request.whole);
      }
      case "screen-text":
        return this.vm?.screenText() ?? null;
      case "statistics":
        return this.vm?.statistics() ?? null;
      case "disks":
        return (await this.disks()).list();
      case "delete-disk":
        await (await this.disks()).remove(call.request.name);
        return null;
      case "export-disk": {
        const folder = await this.disks();
        await exportDisk(call.request, folder, EXPORT, (done) => this.progress("export", done, 0));
        return folder.file(EXPORT);
      }
      case "import-disk": {
        const { name, image } = call.request;
        await importDisk(name, image, await this.disks(), (done) => this.progress("import", done, 0));
        return null;
      }
    }
  }

  private machine(): Vm {
    if (this.vm === null) throw new OperatorError("bad-state", "there is no machine yet");
    return this.vm;
  }

  private disks(): Promise<DiskFolder> {
    this.folder ??= DiskFolder.open();
    // After a refusal, another try may do.
    this.folder.catch(() => (this.folder = null));
    return this.folder;
  }

  private async create(request: MachineRequest): Promise<void> {
    if (this.creating || (this.vm !== null && this.vm.state !== "stopped"))
      throw new OperatorError("bad-state", "there is a machine already; stop it first");
    this.creating = true;
    try {
      await this.build(request);
    } finally {
      this.creating = false;
    }
  }

  private async build(request: MachineRequest): Promise<void> {
    const clock = monotonicClock();
    const loaded = await loadFiles(request, (what, done, total) => this.progress(what, done, total));
    const translations = await this.openTranslations(request);
    const stores = await openDisks(request.disks, () => this.disks());
    try {
      this.network =
        request.network === null ? null : await openNetwork(request.network, clock, (task) => this.host.post(task));
      const { host, serial } = this;
      const vm = createVm(
        request.config,
        {
          wasm: hostWasm,
          modules: loaded.modules,
          clock,
          entropy: hostEntropy,
          log: { warn: (message) => this.post({ type: "warning", message }), debug: () => {} },
          files: loaded.files,
          stores,
          links: this.links(this.network?.link ?? null),
          serial: Array.from({ length: request.config.serialPorts }, (_, port) => serial.sink(port)),
          ...(translations === null ? {} : { translations: translations.port }),
          audio: new SoundFeed((piece) => this.post({ type: "sound", piece }, [piece.samples.buffer])),
          loop: browserEventLoop(host, () => serial.congestion()),
        },
        { onGuestReset: request.onGuestReset },
      );
      vm.listen((event) => this.tell(vm, event));
      if (translations !== null) saveTranslations(vm, translations.store);
      this.vm = vm;
    } catch (error) {
      this.network?.close();
      for (const store of Object.values(stores)) await store.close();
      throw error;
    }
  }

  private async openTranslations({ translations }: MachineRequest) {
    if (translations === null) return null;
    const store = new TranslationStore(() => DiskFolder.open(CODE_FOLDER), translations.name, translations.version);
    return { store, port: { code: new CodeInMemory(await store.read()), maxBytes: MAX_GUEST_BYTES } };
  }

  private links(network: UserNetwork | null): { readonly [name: string]: UserNetwork } {
    return network === null ? {} : { [NETWORK_LINK]: network };
  }

  private tell(vm: Vm, event: VmmEvent): void {
    if (event.type === "stopped") {
      this.serial.flush();
      this.typist.stop();
      this.network?.close();
      this.network = null;
      const { reason } = event;
      const sent = reason.kind === "failed" ? ({ kind: "failed", error: toMessage(reason.error) } as const) : reason;
      return this.post({ type: "event", event: { type: "stopped", reason: sent }, state: vm.state });
    }
    this.post({ type: "event", event, state: vm.state });
  }

  private press(input: KeyInput): boolean {
    if (this.vm?.state !== "running") return false;
    this.vm.perform({ type: "key-input", ...input });
    return true;
  }

  private progress(what: string, done: number, total: number): void {
    this.post({ type: "progress", what, done, total });
  }
}

/** Keeps what the machine compiles, from time to time and at its end. */
function saveTranslations(vm: Vm, store: TranslationStore): void {
  const save = async (): Promise<void> => {
    const pieces = vm.saveTranslations();
    if (pieces === null) return;
    // A blob copies each piece before the next one is made.
    const blob = new Blob(Array.from(pieces, (piece) => new Blob([piece as BlobPart])));
    await store.write(new Uint8Array(await blob.arrayBuffer()));
  };
  const stop = saveNowAndThen(save);
  vm.listen((event) => {
    if (event.type !== "stopped") return;
    stop();
    void save();
  });
}
