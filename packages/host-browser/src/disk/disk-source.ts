// SPDX-License-Identifier: Apache-2.0

/** Where a disk image comes from: an address, or a file that somebody chose on the page. */
export type ImageSource =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "file"; readonly name: string; readonly file: Blob };

/** A disk of a machine in a tab; plain data that can be sent to a worker. */
export type DiskSource =
  /** Changes are kept in the browser's storage, under `name`. */
  | {
      readonly kind: "kept";
      readonly name: string;
      /** What the disk holds at first. Its name should change with it: changes are kept relative to it. */
      readonly base: ImageSource | null;
      /** Bytes of a disk without a base. */
      readonly size: number;
    }
  /** The guest may write, and the changes are gone with the machine. */
  | { readonly kind: "temporary"; readonly base: ImageSource }
  | { readonly kind: "readonly"; readonly base: ImageSource };
