// SPDX-License-Identifier: Apache-2.0

/**
 * A lock that many may share or one may have for itself, in the order of asking. Nothing is allocated and nobody waits
 * as long as there is no conflict.
 */
export class Gate {
  private sharers = 0;
  private held = false;
  private waiting: { readonly alone: boolean; readonly go: () => void }[] = [];

  /** Enters together with other sharers. Leave with `leaveShared`. */
  shared(): void | Promise<void> {
    if (!this.held && this.waiting.length === 0) return void this.sharers++;
    return this.wait(false);
  }

  leaveShared(): void {
    this.sharers--;
    this.admit();
  }

  /** Enters when nobody else is inside. Leave with `leave`. */
  alone(): void | Promise<void> {
    if (!this.held && this.sharers === 0 && this.waiting.length === 0) return void (this.held = true);
    return this.wait(true);
  }

  leave(): void {
    this.held = false;
    this.admit();
  }

  private wait(alone: boolean): Promise<void> {
    return new Promise((go) => this.waiting.push({ alone, go }));
  }

  private admit(): void {
    while (this.waiting.length > 0 && !this.held) {
      if (this.waiting[0].alone && this.sharers > 0) return;
      const next = this.waiting.shift();
      if (next?.alone === true) this.held = true;
      else this.sharers++;
      next?.go();
    }
  }
}
