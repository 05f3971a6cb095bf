/**
 * The user half of a dispatcher: takes upcalls and schedules threads, round robin. While it runs
 * itself it is disabled (no upcalls); it enables itself just before it lets a thread run.
 *
 * The registers that the kernel saves mean nothing to a program: a thread's state is its generator.
 */

import { assert, highWord, isOk, KernelPanic, lowWord } from '@barreleye/core';
import {
  DISPATCHER_FRAME_BYTES,
  DISPATCHER_SHARED_BYTES,
  DispatcherFrame,
  endpointBufferBytes,
  GATE_BYTES,
  Gate,
  type ProgramInstance,
  readRegister,
  Syscall,
  TrapKind,
  type UserCpu,
} from '@barreleye/spec';
import { Endpoint } from './endpoint.ts';
import { BusError, type PageFault, PageFaultError } from './os-error.ts';
import { Sys } from './sys.ts';
import { type PageFaultHandler, Thread, type ThreadBody } from './thread.ts';

/** What a dispatcher runs first, and what it does when a thread dies of an exception. */
export interface DispatcherMain {
  /** Makes the body of the first thread. `argPage` is the address the kernel passed. */
  start(dispatcher: Dispatcher, argPage: number): ThreadBody;
  /** A thread died of `error`; the thread is gone, the others go on. */
  threadDied(thread: Thread, error: unknown): void;
}

export class Dispatcher implements ProgramInstance {
  readonly cpu: UserCpu;
  sys: Sys;
  /** All threads that are not done, by number. */
  readonly threads: Map<number, Thread>;
  /** Serves page faults; without one each is thrown into its thread. */
  pageFaultHandler: PageFaultHandler | undefined;
  private readonly main: DispatcherMain;
  private current: Thread | undefined;
  private readonly runQueue: Thread[];
  private readonly sleepers: Thread[];
  private readonly endpoints: Endpoint[];
  private nextThreadId: number;
  private nextEndpointOffset: number;

  constructor(cpu: UserCpu, main: DispatcherMain) {
    this.cpu = cpu;
    this.pageFaultHandler = undefined;
    this.main = main;
    this.sys = new Sys(cpu, 0);
    this.threads = new Map();
    this.current = undefined;
    this.runQueue = [];
    this.sleepers = [];
    this.endpoints = [];
    this.nextThreadId = 1;
    this.nextEndpointOffset = DISPATCHER_SHARED_BYTES;
  }

  /** The thread whose code is running. */
  get currentThread(): Thread {
    assert(this.current !== undefined, 'no thread is running');
    return this.current;
  }

  enter(gate: number): void {
    switch (gate) {
      case Gate.Start:
        this.start();
        break;
      case Gate.Run:
        this.requeueCurrent();
        this.deliverEvents();
        break;
      case Gate.PageFault:
        this.pageFault(this.readFault());
        break;
      case Gate.Trap:
        this.faultCurrent(new BusError(this.trapName()));
        break;
      case Gate.Resume:
        break; // the host paused the current thread; it goes on below
      default:
        this.stop();
        return;
    }
    this.schedule();
  }

  /** Make a thread; it runs when its turn comes. */
  createThread(name: string, body: ThreadBody): Thread {
    const thread = new Thread(this.nextThreadId, name, body);
    this.nextThreadId += 1;
    this.threads.set(thread.id, thread);
    this.runQueue.push(thread);
    return thread;
  }

  /** Mark the current thread blocked; it must `yield` next. */
  block(reason: string): Thread {
    const thread = this.currentThread;
    thread.state = 'blocked';
    thread.waitReason = reason;
    return thread;
  }

  /** Make a blocked thread ready. */
  wake(thread: Thread): void {
    assert(thread.state === 'blocked', 'only a blocked thread can be woken');
    thread.state = 'ready';
    thread.waitReason = '';
    this.runQueue.push(thread);
  }

  /** Block the current thread until `deadline`, cycles; it must `yield` next. */
  sleepUntil(deadline: number): void {
    const thread = this.block('sleeps');
    thread.deadline = deadline;
    this.sleepers.push(thread);
  }

  /** Make the current thread the last of the ready ones; it must `yield` next. */
  giveWay(): void {
    const thread = this.currentThread;
    thread.state = 'ready';
    this.runQueue.push(thread);
  }

  /** Set up a receive buffer in the dispatcher frame with room for `ringWords` words. */
  createEndpointBuffer(ringWords: number): Endpoint | undefined {
    const offset = this.nextEndpointOffset;
    if (offset + endpointBufferBytes(ringWords) > DISPATCHER_FRAME_BYTES) return undefined;
    this.nextEndpointOffset = offset + endpointBufferBytes(ringWords);
    const endpoint = new Endpoint(this.cpu, this.sys.frame, offset, ringWords);
    this.endpoints.push(endpoint);
    return endpoint;
  }

  /** Forget a receive buffer. Its memory can be used again if no other was made since. */
  removeEndpointBuffer(endpoint: Endpoint): void {
    const i = this.endpoints.indexOf(endpoint);
    assert(i >= 0, 'the receive buffer is none of this dispatcher');
    this.endpoints.splice(i, 1);
    const isLast =
      endpoint.offset + endpointBufferBytes(endpoint.ringWords) === this.nextEndpointOffset;
    if (isLast) this.nextEndpointOffset = endpoint.offset;
  }

  private start(): void {
    const { cpu } = this;
    const [frameArg, pageArg] = cpu.arch.upcallArgs;
    this.sys = new Sys(cpu, this.register(frameArg));
    const argPage = this.register(pageArg);
    const gates = this.register(cpu.arch.pc) - Gate.Resume * GATE_BYTES;
    this.putEntry(DispatcherFrame.runEntry.offset, gates, Gate.Run);
    this.putEntry(DispatcherFrame.lrpcEntry.offset, gates, Gate.Lrpc);
    this.putEntry(DispatcherFrame.pagefaultEntry.offset, gates, Gate.PageFault);
    this.putEntry(DispatcherFrame.pagefaultDisabledEntry.offset, gates, Gate.PageFaultDisabled);
    this.putEntry(DispatcherFrame.trapEntry.offset, gates, Gate.Trap);
    this.createThread('main', this.main.start(this, argPage));
  }

  /** Let threads run until the core is gone. */
  private schedule(): void {
    const { cpu } = this;
    for (;;) {
      this.current ??= this.runQueue.shift();
      const thread = this.current;
      if (thread === undefined) {
        this.yieldCore();
        return;
      }
      thread.state = 'running';
      this.put(DispatcherFrame.disabled.offset, 0);
      if (cpu.poll()) this.resume(thread);
      if (!cpu.isLive()) {
        if (this.isDone(thread)) this.current = undefined;
        return; // taken away: `thread` stays the current one if it has more to do
      }
      this.put(DispatcherFrame.disabled.offset, 1);
      assert(thread.state !== 'running', 'a thread yielded without saying what it waits for');
      this.current = undefined;
    }
  }

  /** Run one thread until it yields, ends or dies. */
  private resume(thread: Thread): void {
    try {
      if (!this.serveFault(thread)) return;
      const error = thread.pendingError;
      thread.pendingError = undefined;
      const step = error === undefined ? thread.body.next() : thread.body.throw(error);
      if (step.done) this.finish(thread, step.value, undefined);
    } catch (reason) {
      if (reason instanceof KernelPanic) throw reason; // the library itself is broken
      this.finish(thread, undefined, reason);
      this.main.threadDied(thread, reason);
    }
  }

  /** Run the page-fault handler of a thread, if there is one; whether the body can go on. */
  private serveFault(thread: Thread): boolean {
    const { handling } = thread;
    if (handling === undefined) return true;
    const step = handling.body.next();
    if (!step.done) return false;
    thread.handling = undefined;
    if (!isOk(step.value)) {
      thread.pendingError = new PageFaultError(handling.fault, step.value);
    }
    return this.cpu.isLive();
  }

  private finish(thread: Thread, result: unknown, error: unknown): void {
    thread.state = 'done';
    thread.result = result;
    thread.error = error;
    this.threads.delete(thread.id);
    for (const joiner of thread.joiners) this.wake(joiner);
    thread.joiners.length = 0;
  }

  /** Whether `thread` has ended: its state, re-read, because running it changes it. */
  private isDone(thread: Thread): boolean {
    return thread.state === 'done';
  }

  /** The core comes back from elsewhere: the thread that had it queues up again. */
  private requeueCurrent(): void {
    const thread = this.current;
    this.current = undefined;
    if (thread?.state !== 'running') return;
    thread.state = 'ready';
    this.runQueue.push(thread);
  }

  /** The handler serves the faults of all code but its own. */
  private pageFault(fault: PageFault): void {
    const thread = this.current;
    if (this.pageFaultHandler === undefined || thread === undefined || thread.handling) {
      this.faultCurrent(new PageFaultError(fault));
    } else {
      thread.handling = { fault, body: this.pageFaultHandler(fault) };
    }
  }

  private faultCurrent(error: Error): void {
    assert(this.current !== undefined, 'a fault while no thread was running');
    this.current.handling = undefined;
    this.current.pendingError = error;
  }

  /** Which trap it was: the kernel passes its kind. */
  private trapName(): string {
    switch (this.register(this.cpu.arch.upcallArgs[2])) {
      case TrapKind.Undefined:
        return 'undefined instruction';
      case TrapKind.Protection:
        return 'no page table can map that address';
      default:
        return 'bus error';
    }
  }

  private readFault(): PageFault {
    const [, address, code, , access] = this.cpu.arch.upcallArgs;
    return {
      address: this.register(address),
      access: this.register(access),
      code: this.register(code),
    };
  }

  /** Wake those whose time has come and those who have got a message. */
  private deliverEvents(): void {
    const now = this.cpu.now();
    const due = this.sleepers.filter((thread) => thread.deadline <= now);
    due.sort((a, b) => a.deadline - b.deadline);
    for (const thread of due) {
      this.sleepers.splice(this.sleepers.indexOf(thread), 1);
      this.wake(thread);
    }
    const delivered = this.get(DispatcherFrame.lmpDelivered.offset);
    if (delivered === this.get(DispatcherFrame.lmpSeen.offset)) return;
    this.put(DispatcherFrame.lmpSeen.offset, delivered);
    for (const endpoint of this.endpoints) {
      if (!endpoint.hasMessage()) continue;
      for (const waiter of endpoint.waiters.splice(0)) this.wake(waiter); // each looks again
    }
  }

  /** Nothing to run: give the core back until the next deadline or message. */
  private yieldCore(): void {
    const { sys } = this;
    let deadline = Number.POSITIVE_INFINITY;
    for (const thread of this.sleepers) deadline = Math.min(deadline, thread.deadline);
    const wakeup = deadline === Number.POSITIVE_INFINITY ? 0 : deadline;
    this.put(DispatcherFrame.wakeup.offset, lowWord(wakeup));
    this.put(DispatcherFrame.wakeup.offset + 4, highWord(wakeup));
    this.put(DispatcherFrame.haswork.offset, 0);
    sys.beginCall(Syscall.Yield);
    sys.arg(0);
    sys.call();
    assert(!this.cpu.isLive(), 'yield gives the core away');
  }

  /** A fault that cannot be survived: execute an address that nobody maps. */
  private stop(): void {
    this.runQueue.length = 0;
    this.current = undefined;
    this.cpu.load32(0);
  }

  private register(r: number): number {
    return readRegister(this.cpu.regs, r);
  }

  private putEntry(offset: number, gates: number, gate: number): void {
    const entry = gates + gate * GATE_BYTES;
    this.put(offset, lowWord(entry));
    this.put(offset + 4, highWord(entry));
  }

  private get(offset: number): number {
    const value = this.cpu.load32(this.sys.frame + offset);
    assert(value >= 0, 'the dispatcher frame is always mapped');
    return value;
  }

  private put(offset: number, value: number): void {
    const isStored = this.cpu.store32(this.sys.frame + offset, value);
    assert(isStored, 'the dispatcher frame is always mapped');
  }
}
