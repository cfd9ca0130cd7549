// SPDX-License-Identifier: Apache-2.0

/**
 * What a long operation is doing. `done` and `total` count bytes or items of the step; `total` is 0 while unknown. A
 * `warning` is a line that the operator must see, such as a repository that nobody could verify.
 */
export interface ProgressEvent {
  readonly step: "release" | "index" | "resolve" | "download" | "unpack" | "initrd" | "disk" | "configure" | "ready";
  readonly done: number;
  readonly total: number;
  readonly warning?: string;
}

export type ProgressListener = (event: ProgressEvent) => void;
