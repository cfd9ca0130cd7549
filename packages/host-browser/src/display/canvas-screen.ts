// SPDX-License-Identifier: Apache-2.0
import type { PictureChange } from "./picture-change.js";

/** Shows a machine's screen on a canvas, whose size in pixels follows the machine's mode. */
export class CanvasScreen {
  private readonly context: CanvasRenderingContext2D;

  /** @param onResize called when the machine has changed its mode */
  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly onResize: (width: number, height: number) => void = () => {},
  ) {
    const context = canvas.getContext("2d", { alpha: false });
    if (context === null) throw new Error("this browser has no canvas");
    this.context = context;
  }

  draw({ width, height, x, y, columns, rows, pixels }: PictureChange): void {
    const { canvas } = this;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
      this.onResize(width, height);
    }
    this.context.putImageData(new ImageData(pixels, columns, rows), x, y);
  }

  /** Black, as a monitor without a signal. */
  clear(): void {
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /** What is shown, as a PNG. */
  png(): Promise<Blob> {
    return new Promise((resolve, reject) => {
      this.canvas.toBlob((blob) => (blob === null ? reject(new Error("no picture")) : resolve(blob)), "image/png");
    });
  }
}
