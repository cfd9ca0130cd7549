// SPDX-License-Identifier: Apache-2.0
import { type EventMessage, Loudspeaker, MachineClient, type StopMessage } from "@isola/host-browser";
import type { VmState } from "@isola/vmm";
import type { Choice } from "./chooser.js";
import { button, element, sizeText } from "./element.js";
import { complain, notice } from "./notices.js";
import { ScreenView } from "./screen-view.js";
import { SerialView } from "./serial-view.js";
import { StatusLine } from "./status-line.js";

const STATISTICS_MS = 1000;
const WORKER = "/machine-worker.js";

function whyStopped(reason: StopMessage): void {
  switch (reason.kind) {
    case "power-off":
      return notice("The machine has switched itself off.");
    case "stopped":
      return notice("The machine is off.");
    case "reset":
      return notice("The machine has reset itself, and was not to start again.");
    case "debug-exit":
      return notice(`The guest ended the machine with status ${reason.status}.`);
    case "triple-fault":
      return notice(`The guest ended in a triple fault on vCPU ${reason.vcpu}.\n${reason.report}`, "error");
    case "failed":
      return notice(`The machine has failed: ${reason.error.message}`, "error");
  }
}

const toControls = (): void => button("stop").focus();

/** A worker that runs no machine yet, for the page. */
export function startWorker(listener: ConstructorParameters<typeof MachineClient>[1]): MachineClient {
  return new MachineClient(new Worker(WORKER), listener);
}

/** One machine on the page, from its start until the page goes back to the choice. */
export class Session {
  readonly client: MachineClient;
  state: VmState | "loading" = "loading";
  readonly screen: ScreenView | null;
  readonly serial: SerialView;
  readonly loudspeaker = new Loudspeaker();
  private readonly status: StatusLine;
  private readonly timer: ReturnType<typeof setInterval>;

  /** @param onState called after each change of the machine's state */
  constructor(
    readonly choice: Choice,
    private readonly onState: (state: VmState | "loading") => void,
  ) {
    this.client = startWorker({
      event: (event) => this.event(event),
      serial: (_port, bytes, shown) => this.serial.write(bytes, shown),
      sound: (piece) => this.loudspeaker.play(piece),
      progress: (what, done, total) =>
        this.status.state("loading", `${what} ${sizeText(done)}${total > 0 ? ` of ${sizeText(total)}` : ""}`),
      warning: (message) => notice(message),
      broken: (error) => {
        complain(error);
        this.change("stopped");
      },
    });
    this.status = new StatusLine(choice.request.config.memory);
    this.status.state("loading");
    this.serial = new SerialView(this.client, toControls);
    this.screen = choice.request.config.preset === "pc" ? new ScreenView(this.client, toControls) : null;
    this.timer = setInterval(() => void this.count(), STATISTICS_MS);
    element("title", HTMLParagraphElement).textContent = choice.offer.title;
  }

  /** Loads and starts the machine; what goes wrong is shown. */
  async start(): Promise<void> {
    // Without it the browser may delete disks when it runs short of room.
    await navigator.storage?.persist?.().catch(() => false);
    try {
      await this.client.call("create", this.choice.request);
      await this.client.perform({ type: "start" });
    } catch (error) {
      complain(error);
      this.change("stopped");
    }
  }

  close(): void {
    clearInterval(this.timer);
    this.screen?.close();
    this.serial.close();
    this.status.close();
    this.client.close();
    this.loudspeaker.close();
  }

  private event(event: EventMessage): void {
    if (event.type === "state") this.change(event.state);
    else if (event.type === "stopped") whyStopped(event.reason);
  }

  private change(state: VmState): void {
    this.state = state;
    this.status.state(state);
    this.onState(state);
  }

  private async count(): Promise<void> {
    if (this.state !== "running" || document.hidden) return;
    const statistics = await this.client.call("statistics", null).catch(() => null);
    if (statistics !== null) this.status.update(statistics);
  }
}
