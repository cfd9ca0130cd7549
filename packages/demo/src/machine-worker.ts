// SPDX-License-Identifier: Apache-2.0
// The worker that runs a machine for the page.
import { serveMachine } from "@isola/host-browser";

serveMachine();
