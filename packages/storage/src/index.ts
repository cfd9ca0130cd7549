// SPDX-License-Identifier: Apache-2.0
export { copyDisk, type CopyProgress } from "./image/copy-disk.js";
export type { ImageFile, ImageHost } from "./image/image-host.js";
export { type Qcow2Info, qcow2Info, type SnapshotInfo } from "./image/image-info.js";
export { type OpenedImage, openImage, type OpenImageOptions, probeFile } from "./image/open-image.js";
export { DISK_FORMATS, type DiskFormat, type Probed } from "./image/probe.js";
export { checkQcow2, type ImageCheck } from "./qcow2/check.js";
export { createQcow2, type Qcow2Creation } from "./qcow2/create.js";
export { openQcow2, type Qcow2Options } from "./qcow2/open.js";
export type { Qcow2Store } from "./qcow2/qcow2-store.js";
export { repairQcow2 } from "./qcow2/repair.js";
export { RangeStore, type RangeStoreOptions } from "./remote/range-store.js";
export { resizeQcow2 } from "./qcow2/resize.js";
export { resizeImage, type ResizeOptions } from "./image/resize-image.js";
