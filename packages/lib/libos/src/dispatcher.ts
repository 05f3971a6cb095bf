/**
 * The user half of a dispatcher: takes upcalls and lets threads run. While it runs itself it is
 * disabled (no upcalls); it enables itself just before it lets a thread run.
 *
 * The registers that the kernel saves mean nothing to a program: a thread's state is its generator.
 */

import { assert, highWord, isOk, KernelPanic, lowWord } from '@barreleye/core';
import {
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
import { Events } from './events.ts';
import { FrameHeap } from './frame-heap.ts';
import { BusError, type PageFault, PageFaultError } from './os-error.ts';
import { Scheduler } from './scheduler.ts';
import { Sys } from './sys.ts';
import type { PageFaultHandler, Thread, ThreadBody, ThreadState } from './thread.ts';
import { reportWaits, type WaitReport } from './wait-report.ts';

/** What a dispatcher runs first, and what it does when a thread dies of an exception. */
export interface DispatcherMain {
  /** Makes the body of the first thread. `argPage` is the address the kernel passed. */
  start(dispatcher: Dispatcher, argPage: number): ThreadBody;
  /** A thread died of `error`; the thread is gone, the others go on. */
  threadDied(thread: Thread, error: unknown): void;
  /** All threads wait, and nothing can wake them any more. */
  deadlocked(report: WaitReport): void;
}

export class Dispatcher implements ProgramInstance {
  readonly cpu: UserCpu;
  sys: Sys;
  readonly scheduler: Scheduler;
  readonly events: Events;
  /** Serves page faults; without one each is thrown into its thread. */
  pageFaultHandler: PageFaultHandler | undefined;
  private readonly main: DispatcherMain;
  private readonly heap: FrameHeap;

  constructor(cpu: UserCpu, main: DispatcherMain) {
    this.cpu = cpu;
    this.pageFaultHandler = undefined;
    this.main = main;
    this.sys = new Sys(cpu, 0);
    this.scheduler = new Scheduler(cpu);
    this.events = new Events(this.scheduler);
    this.heap = new FrameHeap();
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

  /** The number of the core, as the kernel has written it down. */
  get coreId(): number {
    return this.get(DispatcherFrame.coreId.offset);
  }

  /** Set up a receive buffer in the dispatcher frame with room for `ringWords` words. */
  createEndpointBuffer(ringWords: number): Endpoint | undefined {
    const offset = this.heap.alloc(endpointBufferBytes(ringWords));
    if (offset < 0) return undefined;
    return new Endpoint(this.events, this.cpu, this.sys.frame, offset, ringWords);
  }

  /** Forget a receive buffer that no endpoint names any more; others may get its memory. */
  removeEndpointBuffer({ offset, ringWords, received }: Endpoint): void {
    received.deregister();
    assert(received.queue === undefined, 'a thread waits for a message in that buffer');
    this.heap.release(offset, endpointBufferBytes(ringWords));
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
    this.scheduler.create('main', this.main.start(this, argPage));
  }

  /** Let threads run until the core is gone. */
  private schedule(): void {
    const { cpu, scheduler } = this;
    const { timers } = scheduler;
    for (;;) {
      if (timers.length > 0) timers.expireUntil(cpu.now());
      const thread = scheduler.choose() ?? this.lastResort();
      if (thread === undefined) {
        this.yieldCore();
        return;
      }
      thread.state = 'running';
      this.put(DispatcherFrame.disabled.offset, 0);
      if (cpu.poll()) this.resume(thread);
      if (!cpu.isLive()) {
        if (this.isIn('done', thread)) scheduler.current = undefined;
        return; // taken away: `thread` stays the current one if it has more to do
      }
      this.put(DispatcherFrame.disabled.offset, 1);
      if (this.isIn('running', thread)) scheduler.giveWay(); // it waits for nothing
      scheduler.current = undefined;
    }
  }

  /** No thread is ready: report it if none ever will be, which may make one so. */
  private lastResort(): Thread | undefined {
    const { scheduler, events, main } = this;
    if (!scheduler.hasWorkers || (events.canCome && !scheduler.isStuck)) return undefined;
    main.deadlocked(reportWaits(scheduler));
    return scheduler.choose();
  }

  /** Run one thread until it yields, ends or dies. */
  private resume(thread: Thread): void {
    try {
      const { exitWith } = thread;
      if (exitWith !== undefined) {
        thread.body.return(undefined); // runs `finally` blocks, as far as they do not wait
        this.scheduler.finish(thread, { kind: 'ended', value: exitWith.value });
        return;
      }
      if (!this.serveFault(thread)) return;
      const error = thread.pendingError;
      thread.pendingError = undefined;
      const step = error === undefined ? thread.body.next() : thread.body.throw(error);
      if (step.done) this.scheduler.finish(thread, { kind: 'ended', value: step.value });
    } catch (reason) {
      if (reason instanceof KernelPanic) throw reason; // the library itself is broken
      this.scheduler.finish(thread, { kind: 'died', error: reason });
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

  /** Whether `thread` is in `state`: re-read, because running it changes it. */
  private isIn(state: ThreadState, thread: Thread): boolean {
    return thread.state === state;
  }

  /** The core comes back from elsewhere: the thread that had it queues up again. */
  private requeueCurrent(): void {
    const { scheduler } = this;
    if (scheduler.current?.state === 'running') scheduler.giveWay();
    scheduler.current = undefined;
  }

  /** The handler serves the faults of all code but its own. */
  private pageFault(fault: PageFault): void {
    const thread = this.scheduler.current;
    if (this.pageFaultHandler === undefined || thread === undefined || thread.handling) {
      this.faultCurrent(new PageFaultError(fault));
    } else {
      thread.handling = { fault, body: this.pageFaultHandler(fault) };
    }
  }

  private faultCurrent(error: Error): void {
    const { running } = this.scheduler;
    running.handling = undefined;
    running.pendingError = error;
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

  /** Tell those whose time has come, and those who have got a message. */
  private deliverEvents(): void {
    const delivered = this.get(DispatcherFrame.lmpDelivered.offset);
    const hasMessages = delivered !== this.get(DispatcherFrame.lmpSeen.offset);
    if (hasMessages) this.put(DispatcherFrame.lmpSeen.offset, delivered);
    this.events.deliver(this.cpu.now(), hasMessages);
  }

  /** Nothing to run: give the core back until the next deadline or message, or to poll again. */
  private yieldCore(): void {
    const { sys } = this;
    const { deadline } = this.scheduler.timers;
    const wakeup = deadline === Number.POSITIVE_INFINITY ? 0 : deadline;
    this.put(DispatcherFrame.wakeup.offset, lowWord(wakeup));
    this.put(DispatcherFrame.wakeup.offset + 4, highWord(wakeup));
    this.put(DispatcherFrame.haswork.offset, this.events.isPolling ? 1 : 0);
    sys.beginCall(Syscall.Yield);
    sys.arg(0);
    sys.call();
    assert(!this.cpu.isLive(), 'yield gives the core away');
  }

  /** A fault that cannot be survived: load from an address that nobody maps. */
  private stop(): void {
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
