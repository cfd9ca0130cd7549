// SPDX-License-Identifier: Apache-2.0
export { pullImage, pullRecipe, buildBusyboxInitramfs, type BusyboxOptions } from "./pull-image.js";
export { readPackageFiles, type PackageFiles, type PackageFilesOptions } from "./package-files.js";
export type { FirstBootMachine, PullOptions, PulledImage, SourceOptions } from "./pull-options.js";
export type { ProgressEvent, ProgressListener } from "./progress.js";
export { type DiskRecipe, type Recipe, defaultRecipesDir, listRecipes, loadRecipe } from "./recipe/recipe.js";
export { ImageCache, defaultCacheDir } from "./cache/image-cache.js";
export { type Ext4Options, writeExt4 } from "./ext4/write-ext4.js";
export { writeCpio } from "./archive/cpio.js";
export { addTar } from "./tree/tar-tree.js";
export { FileTree, type NodeMeta, type TreeNode } from "./tree/file-tree.js";
export { type FileContent, bytesContent } from "./tree/content.js";
export { contentBytes } from "./tree/content-reader.js";
export { pullFirmware, pullUefi, type FirmwareOptions, type PulledFirmware, type PulledUefi } from "./pull-firmware.js";
export { type Extent, type FatFile, type FatVolume, writeFat } from "./fat/write-fat.js";
export { type GptLayout, type GptPartition, layOutGpt } from "./gpt/lay-out-gpt.js";
export * from "./guest-agent/exec-protocol.js";
