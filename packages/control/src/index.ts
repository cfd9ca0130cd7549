// SPDX-License-Identifier: Apache-2.0
export * from "./control-client.js";
export * from "./control-server.js";
export * from "./control-target.js";
export * from "./machine-name.js";
export * from "./messages.js";
export * from "./running-machines.js";
export * from "./runtime-directory.js";
export * from "./exec/exec-request.js";
export * from "./exec/exec-session.js";
export * from "./exec/guest-command.js";
export * from "./exec/guest-users.js";
