// SPDX-License-Identifier: Apache-2.0
import type { VmState } from "@isola/vmm";
import { button, download, element } from "./element.js";
import { attempt } from "./notices.js";
import type { Session } from "./session.js";

/** Control, Alt and Delete, as scan codes of set 1. */
const CTRL_ALT_DEL = [0x1d, 0x38, 0xe053];
const VIEWS = ["screen", "serial"] as const;
type View = (typeof VIEWS)[number];

/** The buttons above the machine; they act on the session that is shown. */
export class Controls {
  private session: Session | null = null;
  private view: View = "serial";

  /** @param onLeave the user goes back to the choice of machines */
  constructor(private readonly onLeave: () => void) {
    const on = (id: string, action: (session: Session) => void | Promise<void>): void =>
      button(id).addEventListener("click", () => {
        const { session } = this;
        if (session !== null) attempt(() => action(session));
      });
    on("pause", ({ client, state }) => client.perform({ type: state === "paused" ? "resume" : "pause" }));
    on("reset", ({ client }) => client.perform({ type: "reset" }));
    on("power", ({ client }) => client.perform({ type: "press-power-button" }));
    on("stop", (session) => this.stop(session));
    on("ctrl-alt-del", (session) => {
      for (const code of CTRL_ALT_DEL) session.client.input.key(code, true);
      for (const code of CTRL_ALT_DEL.toReversed()) session.client.input.key(code, false);
      session.screen?.focus();
    });
    on("paste", (session) => this.paste(session));
    on("mute", ({ loudspeaker }) => {
      loudspeaker.muted = !loudspeaker.muted;
      button("mute").setAttribute("aria-pressed", String(loudspeaker.muted));
    });
    on("screenshot", async ({ screen, choice }) => {
      if (screen !== null) download(await screen.png(), `${choice.offer.id}.png`);
    });
    on("fullscreen", ({ screen }) =>
      screen !== null && this.view === "screen"
        ? screen.fullScreen()
        : element("serial-panel", HTMLDivElement).requestFullscreen(),
    );
    for (const view of VIEWS) button(`tab-${view}`).addEventListener("click", () => this.show(view));
    element("machine", HTMLElement)
      .querySelector('[role="tablist"]')
      ?.addEventListener("keydown", (event) => this.turnTab(event as KeyboardEvent));
  }

  /** Shows a session from now on, or none. */
  attach(session: Session | null): void {
    this.session = session;
    element("machine", HTMLElement).hidden = session === null;
    if (session === null) return;
    button("tab-screen").hidden = session.screen === null;
    this.show(session.screen === null || session.choice.offer.console === "serial" ? "serial" : "screen");
    this.update("loading");
  }

  update(state: VmState | "loading"): void {
    const live = state === "running" || state === "paused";
    for (const id of ["pause", "reset", "power"]) button(id).disabled = !live;
    button("pause").textContent = state === "paused" ? "Resume" : "Pause";
    button("stop").textContent = state === "stopped" ? "Close" : "Power off";
    const screen = this.session?.screen ?? null;
    button("ctrl-alt-del").disabled = state !== "running" || screen === null;
    button("paste").disabled = state !== "running";
    button("screenshot").disabled = screen === null;
    // Only a PC has something that sounds.
    button("mute").hidden = screen === null;
    button("mute").setAttribute("aria-pressed", String(this.session?.loudspeaker.muted ?? false));
  }

  private show(view: View): void {
    this.view = view;
    for (const one of VIEWS) {
      const tab = button(`tab-${one}`);
      tab.setAttribute("aria-selected", String(one === view));
      tab.tabIndex = one === view ? 0 : -1;
      element(`${one}-panel`, HTMLDivElement).hidden = one !== view;
    }
    if (view === "screen") this.session?.screen?.focus();
    else this.session?.serial.focus();
  }

  /** Arrow keys move between tabs (WAI-ARIA Authoring Practices, tabs pattern). */
  private turnTab(event: KeyboardEvent): void {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = this.view === "screen" ? "serial" : "screen";
    if (button(`tab-${other}`).hidden) return;
    event.preventDefault();
    this.show(other);
    button(`tab-${other}`).focus();
  }

  private async stop(session: Session): Promise<void> {
    if (session.state === "stopped" || session.state === "loading") return this.onLeave();
    await session.client.perform({ type: "stop" });
  }

  /** Text for the screen's keyboard is typed; the serial port takes it as it is. */
  private async paste(session: Session): Promise<void> {
    const dialog = element("paste-dialog", HTMLDialogElement);
    const field = element("paste-text", HTMLTextAreaElement);
    field.value = await navigator.clipboard.readText().catch(() => "");
    dialog.returnValue = "";
    dialog.showModal();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    if (dialog.returnValue !== "type") return;
    if (this.view === "screen") session.client.type(field.value.replaceAll("\r\n", "\n"));
    else session.serial.paste(field.value);
    this.show(this.view);
  }
}
