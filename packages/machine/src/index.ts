// SPDX-License-Identifier: Apache-2.0
export * from "./config.js";
export * from "./board.js";
export * from "./acpi-description.js";
