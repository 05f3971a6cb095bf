/**
 * What a program sees of the system. Everything that may wait, fault or be pre-empted is a
 * generator and is called with `yield*`; errors are exceptions (`OsError`, `PageFaultError`), so
 * that a program of ten lines stays ten lines.
 */

import { type Errval, isOk, type Result } from '@barreleye/core';
import { type Arch, Err } from '@barreleye/spec';
import type { Capref, Slot } from './capref.ts';
import { capDelete, capMintEndpoint, capRetype, capRevoke } from './caps.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Endpoint, LmpMessage } from './endpoint.ts';
import type { Events } from './events.ts';
import { OsError, unwrap } from './os-error.ts';
import type { Scheduler, ThreadOptions } from './scheduler.ts';
import type { SlotAllocator } from './slot-alloc.ts';
import type { Sys } from './sys.ts';
import type { PageFaultHandler, Thread, ThreadBody } from './thread.ts';
import { reportWaits, type WaitReport } from './wait-report.ts';
import { TASK_DISPATCHER } from './well-known.ts';

/** A step of a program that may wait. */
export type Wait<T> = Generator<void, T, void>;

/** An endpoint of this domain: the capability to give away, and the buffer to receive from. */
export interface OwnEndpoint {
  readonly cap: Capref<'EndPointLMP'>;
  readonly buffer: Endpoint;
}

export class Os {
  /** Plain system calls, for code that neither waits nor is pre-empted. */
  readonly sys: Sys;
  readonly slots: SlotAllocator;
  private readonly dispatcher: Dispatcher;

  constructor(dispatcher: Dispatcher, slots: SlotAllocator) {
    this.dispatcher = dispatcher;
    this.sys = dispatcher.sys;
    this.slots = slots;
  }

  get arch(): Arch {
    return this.sys.cpu.arch;
  }

  /** The number of the core that this dispatcher is on. */
  get coreId(): number {
    return this.dispatcher.coreId;
  }

  /** Cycles since power-on. */
  now(): number {
    return this.sys.cpu.now();
  }

  // Threads

  /** The threads of this domain, for what is built on blocking and waking. */
  get scheduler(): Scheduler {
    return this.dispatcher.scheduler;
  }

  /** What reaches this domain from outside, for what is built on event sources. */
  get events(): Events {
    return this.dispatcher.events;
  }

  /** Start a thread. */
  spawnThread(name: string, body: ThreadBody, options?: ThreadOptions): Thread {
    return this.scheduler.create(name, body, options);
  }

  /** Wait until all threads but this one and daemons have ended. One thread at a time. */
  *awaitOthers(): Wait<void> {
    if (this.scheduler.waitsForOthers()) yield;
  }

  /** The thread that runs this. */
  get currentThread(): Thread {
    return this.scheduler.running;
  }

  /** Wait until `thread` is done; the value it ended with. Throws what the thread died of. */
  *join(thread: Thread): Wait<unknown> {
    if (this.scheduler.joinBlocks(thread)) yield;
    const { outcome } = thread;
    if (outcome === undefined) throw new OsError(Err.LIB_ERR_THREAD_DETACHED);
    if (outcome.kind === 'died') throw outcome.error;
    return outcome.value;
  }

  /** Give up the right to `join` a thread; its result is forgotten. */
  detach(thread: Thread): void {
    this.scheduler.detach(thread);
  }

  /**
   * End this thread with `value`, from however deep inside. `finally` blocks run, up
   * to the first point at which they wait: JavaScript forgets there that it is on its way out.
   */
  *exitThread(value?: unknown): Wait<never> {
    this.scheduler.running.exitWith = { value };
    for (;;) yield; // the dispatcher ends the thread here
  }

  /** Let other threads run. */
  *giveWay(): Wait<void> {
    this.scheduler.giveWay();
    yield;
  }

  /** Which threads wait for what and for whom, and where they wait for each other in a circle. */
  reportWaits(): WaitReport {
    return reportWaits(this.scheduler);
  }

  /** Let `cycles` cycles pass. */
  *sleep(cycles: number): Wait<void> {
    this.scheduler.sleepUntil(this.now() + Math.max(cycles, 1));
    yield;
  }

  /** A point of pre-emption in a long computation. */
  *preempt(): Wait<void> {
    if (!this.sys.cpu.poll()) yield;
  }

  /** Have `handler` serve page faults from now on: see `PageFaultHandler`. */
  onPageFault(handler: PageFaultHandler): void {
    this.dispatcher.pageFaultHandler = handler;
  }

  // Memory, through the page tables. Throws PageFaultError when a fault is not resolved.

  *load8(va: number): Wait<number> {
    for (;;) {
      const value = this.sys.cpu.load8(va);
      if (value >= 0) return value;
      yield;
    }
  }

  *load32(va: number): Wait<number> {
    for (;;) {
      const value = this.sys.cpu.load32(va);
      if (value >= 0) return value;
      yield;
    }
  }

  *store8(va: number, value: number): Wait<void> {
    while (!this.sys.cpu.store8(va, value)) yield;
  }

  *store32(va: number, value: number): Wait<void> {
    while (!this.sys.cpu.store32(va, value)) yield;
  }

  // Capabilities

  /** A free slot. */
  allocSlot(): Slot {
    return unwrap(this.slots.alloc());
  }

  /** Delete the capability in `cap` and give its slot back. */
  *destroy(cap: Capref): Wait<void> {
    this.check(capDelete(this.sys, cap));
    this.check(this.slots.free(cap));
    yield* this.preempt();
  }

  /** Delete `cap`, unless somebody has revoked it already, and give its slot back. */
  drop(cap: Capref): void {
    capDelete(this.sys, cap);
    this.check(this.slots.free(cap));
  }

  /** Throw unless `err` is OK. */
  check(err: Errval): void {
    if (!isOk(err)) throw new OsError(err);
  }

  /** The value of a library call, or an exception; then a point of pre-emption. */
  *take<T>(result: Result<T>): Wait<T> {
    const value = unwrap(result);
    yield* this.preempt();
    return value;
  }

  // Messages

  /** An endpoint with room for `ringWords` words. When it cannot be made, nothing has changed. */
  createEndpoint(ringWords: number): OwnEndpoint {
    const undo: (() => void)[] = [];
    try {
      return this.buildEndpoint(ringWords, undo);
    } catch (error) {
      for (const step of undo.reverse()) step();
      throw error;
    }
  }

  /** Retype names no buffer, so what it makes serves only to mint the endpoint from. */
  private buildEndpoint(ringWords: number, undo: (() => void)[]): OwnEndpoint {
    const { sys, slots, dispatcher } = this;
    const buffer = dispatcher.createEndpointBuffer(ringWords);
    if (buffer === undefined) throw new OsError(Err.LIB_ERR_EP_CREATE);
    undo.push(() => dispatcher.removeEndpointBuffer(buffer));
    const raw = this.allocSlot();
    undo.push(() => this.check(slots.free(raw)));
    const slot = this.allocSlot();
    undo.push(() => this.check(slots.free(slot)));
    const range = { offset: 0, objectBytes: 0, count: 1 };
    const source = unwrap(capRetype(sys, raw, TASK_DISPATCHER, 'EndPointLMP', range));
    undo.push(() => this.check(capDelete(sys, source)));
    const cap = unwrap(capMintEndpoint(sys, slot, source, buffer));
    undo.push(() => this.check(capDelete(sys, cap)));
    this.check(capDelete(sys, source));
    this.check(slots.free(raw));
    return { cap, buffer };
  }

  /** End an endpoint, in all domains; all that arrived has been received. Its buffer is free. */
  destroyEndpoint({ cap, buffer }: OwnEndpoint): void {
    const { sys, slots, dispatcher } = this;
    this.check(capRevoke(sys, cap));
    this.check(capDelete(sys, cap));
    this.check(slots.free(cap));
    const slot = buffer.disarm();
    if (slot !== undefined) this.check(slots.free(slot));
    dispatcher.removeEndpointBuffer(buffer);
  }

  /** Wait for the next message. */
  *receive(endpoint: Endpoint): Wait<LmpMessage> {
    for (;;) {
      const message = endpoint.tryReceive();
      if (message !== undefined) return message;
      yield* endpoint.received.wait();
    }
  }

  /** The same without an object for each message: see `Endpoint.tryReceiveInto`. */
  *receiveInto(endpoint: Endpoint, into: Uint32Array): Wait<number> {
    for (;;) {
      const wordCount = endpoint.tryReceiveInto(into);
      if (wordCount >= 0) return wordCount;
      yield* endpoint.received.wait();
    }
  }
}
