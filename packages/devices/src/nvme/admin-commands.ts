// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import { type MaybeLater, type NvmeCommand, type Outcome, refused, SUCCESS } from "./command.js";
import type { Features } from "./features.js";
import { identificationDescriptors, identifyController, identifyNamespace, namespaceList } from "./identify.js";
import { logPage } from "./log-pages.js";
import { CompletionQueue, SubmissionQueue } from "./queues.js";
import {
  AdminCommand,
  BROADCAST_NAMESPACE,
  IO_QUEUES,
  MAX_ENTRIES,
  MAX_TRANSFER,
  NAMESPACE,
  PAGE_SIZE,
  QUEUE_CONTIGUOUS,
  QUEUE_INTERRUPTS,
  Status,
} from "./registers.js";

/** What admin commands change. */
export interface Controller {
  readonly store: BlockStore;
  readonly serial: string;
  readonly features: Features;
  readonly submissions: Map<number, SubmissionQueue>;
  readonly completions: Map<number, CompletionQueue>;
  hasVector(vector: number): boolean;
}

const NOT_ABORTED: Outcome = { status: Status.Success, result: 1 };

/** Carries out one admin command (5), except for event requests, which have no answer until there is an event. */
export function executeAdmin(command: NvmeCommand, controller: Controller): MaybeLater<Outcome> {
  if (command.unsupported) return refused(Status.InvalidField);
  switch (command.opcode) {
    case AdminCommand.CreateCompletion:
      return createCompletion(command, controller);
    case AdminCommand.CreateSubmission:
      return createSubmission(command, controller);
    case AdminCommand.DeleteSubmission:
      return deleteSubmission(command, controller);
    case AdminCommand.DeleteCompletion:
      return deleteCompletion(command, controller);
    case AdminCommand.Identify:
      return identify(command, controller);
    case AdminCommand.GetLogPage:
      return getLogPage(command);
    case AdminCommand.SetFeatures:
      return controller.features.set(command);
    case AdminCommand.GetFeatures:
      return controller.features.get(command);
    case AdminCommand.Abort:
      // Commands are carried out as fast as the store allows; none is taken back.
      return NOT_ABORTED;
    default:
      return refused(Status.InvalidOpcode);
  }
}

interface QueueRequest {
  readonly id: number;
  readonly size: number;
  readonly base: number;
  readonly contiguous: boolean;
}

function queueRequest(command: NvmeCommand): QueueRequest {
  const first = command.dword(10);
  return {
    id: first & 0xffff,
    size: (first >>> 16) + 1,
    base: command.qword(6),
    contiguous: (command.dword(11) & QUEUE_CONTIGUOUS) !== 0,
  };
}

/** What is wrong with a queue of either kind. */
function checkQueue({ id, size, base, contiguous }: QueueRequest, taken: boolean): Status {
  if (id === 0 || id > IO_QUEUES || taken) return Status.InvalidQueue;
  if (size < 2 || size > MAX_ENTRIES) return Status.InvalidQueueSize;
  if (!contiguous) return Status.InvalidField;
  return base % PAGE_SIZE === 0 ? Status.Success : Status.InvalidPrpOffset;
}

function createCompletion(command: NvmeCommand, { completions, hasVector }: Controller): Outcome {
  const request = queueRequest(command);
  const { id, size, base } = request;
  const wrong = checkQueue(request, completions.has(id));
  if (wrong !== Status.Success) return refused(wrong);
  const vector = command.dword(11) >>> 16;
  if (!hasVector(vector)) return refused(Status.InvalidVector);
  const interrupts = (command.dword(11) & QUEUE_INTERRUPTS) !== 0;
  completions.set(id, new CompletionQueue({ id, base, size, head: 0, tail: 0, phase: true, vector, interrupts }));
  return SUCCESS;
}

function createSubmission(command: NvmeCommand, { submissions, completions }: Controller): Outcome {
  const request = queueRequest(command);
  const { id, size, base } = request;
  const completion = command.dword(11) >>> 16;
  if (completion === 0 || !completions.has(completion)) return refused(Status.CompletionQueueInvalid);
  const wrong = checkQueue(request, submissions.has(id));
  if (wrong !== Status.Success) return refused(wrong);
  submissions.set(id, new SubmissionQueue({ id, base, size, head: 0, tail: 0, completion }));
  return SUCCESS;
}

/** Waits for the commands of the queue that are under way (5.6). */
function deleteSubmission(command: NvmeCommand, { submissions }: Controller): MaybeLater<Outcome> {
  const id = command.dword(10) & 0xffff;
  const queue = id === 0 ? undefined : submissions.get(id);
  if (queue === undefined || queue.deleting !== null) return refused(Status.InvalidQueue);
  if (queue.inFlight === 0) {
    submissions.delete(id);
    return SUCCESS;
  }
  return new Promise((resolve) => {
    queue.deleting = () => {
      submissions.delete(id);
      resolve(SUCCESS);
    };
  });
}

function deleteCompletion(command: NvmeCommand, { submissions, completions }: Controller): Outcome {
  const id = command.dword(10) & 0xffff;
  if (id === 0 || !completions.has(id)) return refused(Status.InvalidQueue);
  for (const { s } of submissions.values()) if (s.completion === id) return refused(Status.InvalidQueueDeletion);
  completions.delete(id);
  return SUCCESS;
}

function identify(command: NvmeCommand, { store, serial }: Controller): Outcome {
  const { namespace } = command;
  switch (command.dword(10) & 0xff) {
    case 0:
      if (namespace !== NAMESPACE && namespace !== BROADCAST_NAMESPACE) return refused(Status.InvalidNamespace);
      return command.answer(identifyNamespace(store, serial));
    case 1:
      return command.answer(identifyController(store, serial));
    case 2:
      if (namespace >= BROADCAST_NAMESPACE - 1) return refused(Status.InvalidNamespace);
      return command.answer(namespaceList(namespace));
    case 3:
      if (namespace !== NAMESPACE) return refused(Status.InvalidNamespace);
      return command.answer(identificationDescriptors(serial));
    default:
      return refused(Status.InvalidField);
  }
}

function getLogPage(command: NvmeCommand): Outcome {
  const page = logPage(command.dword(10) & 0xff);
  if (page === null) return refused(Status.InvalidLogPage);
  const length = ((command.dword(10) >>> 16) + (command.dword(11) & 0xffff) * 0x1_0000 + 1) * 4;
  const offset = command.qword(12);
  if (length > MAX_TRANSFER || offset % 4 !== 0 || offset > page.length) return refused(Status.InvalidField);
  const bytes = new Uint8Array(length);
  bytes.set(page.subarray(offset, offset + length));
  return command.answer(bytes);
}
