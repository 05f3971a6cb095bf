/**
 * One domain and a kernel that knows nothing but it: entry by entry it runs the program until it
 * sleeps for good. System calls other than yield are answered as the test says.
 */

import { asPaddr, asPtr, type Errval, fromWords, OK } from '@barreleye/core';
import { type Arch, archX86_64, DispatcherFrame, Err, Gate, Syscall } from '@barreleye/spec';
import type { Dispatcher } from '../src/dispatcher.ts';
import { HandCpu } from '../src/hand-cpu.ts';
import type { Os, Wait } from '../src/os.ts';
import { program } from '../src/program.ts';
import { formatWaits } from '../src/wait-report.ts';

/** Cycles between a wake-up time and the moment at which the domain gets the core. */
const LATENCY = 5;

export class Domain {
  readonly cpu: HandCpu;
  /** What the program and the kernel have to say, in order. */
  readonly log: string[] = [];
  /** Threads that died of an exception: `name: message`. */
  readonly deaths: string[] = [];
  /** What was reported about threads that nothing can wake any more. */
  readonly deadlocks: string[] = [];
  /** Wake-up times of the yields so far; 0 for none. */
  readonly wakeups: number[] = [];
  /** The answer to an invocation. */
  answer: () => Errval = () => OK;
  private readonly dispatcher: Dispatcher;
  private next: { readonly gate: number; readonly args: number[] } | undefined;

  constructor(main: (os: Os, domain: Domain, argPage: number) => Wait<unknown>, arch?: Arch) {
    this.cpu = new HandCpu(arch ?? archX86_64);
    const made = program('test', (os, argPage) => main(os, this, argPage), {
      onThreadDeath: (_, name, error) => this.deaths.push(`${name}: ${messageOf(error)}`),
      onDeadlock: (_, report) => this.deadlocks.push(formatWaits(report)),
    });
    this.dispatcher = made.create(this.cpu) as Dispatcher;
    this.cpu.onSyscall = () => this.syscall();
    this.cpu.onFault = (va, access) => this.fault(va, access);
    this.next = { gate: Gate.Start, args: [0x100_0000] };
  }

  /** The part of the dispatcher frame that the kernel knows. */
  get frame(): ReturnType<typeof asPtr<'DispatcherFrame'>> {
    return asPtr<'DispatcherFrame'>(this.cpu.arch.dispatcherBase);
  }

  get isDisabled(): boolean {
    return DispatcherFrame.disabled.get(this.cpu.mem, this.frame) !== 0;
  }

  /** Whether the domain asked to be left alone until something happens. */
  get isAsleep(): boolean {
    return this.next === undefined;
  }

  /** Names of the threads that are not done. */
  threadNames(): string[] {
    return [...this.dispatcher.scheduler.threads.values()].map((thread) => thread.name);
  }

  /** Enter the domain until it sleeps without a wake-up time; time passes as it asks. */
  run(): void {
    while (this.next !== undefined) this.step();
  }

  /** Enter the domain once. */
  step(): void {
    const { gate, args } = this.next ?? { gate: Gate.Run, args: [] };
    this.next = { gate: Gate.Run, args: [] };
    if (gate !== Gate.Resume) this.setDisabled();
    this.cpu.enter(this.dispatcher, gate, args);
  }

  /** Take the core away at a point of pre-emption; the domain will be entered at Run. */
  preempt(): void {
    this.next = { gate: Gate.Run, args: [] };
    this.cpu.leave();
  }

  /** The host's turn is over: the domain will be resumed where it is. */
  pause(): void {
    this.next = { gate: Gate.Resume, args: [] };
    this.cpu.leave();
  }

  /** Have the domain entered at `gate` next. */
  enterNext(gate: number, args: number[] = []): void {
    this.next = { gate, args };
  }

  /** The kernel says that words were put into endpoints. */
  announce(wordCount: number): void {
    const { mem } = this.cpu;
    const delivered = DispatcherFrame.lmpDelivered.get(mem, this.frame);
    DispatcherFrame.lmpDelivered.set(mem, this.frame, delivered + wordCount);
    this.next ??= { gate: Gate.Run, args: [] };
  }

  private setDisabled(): void {
    DispatcherFrame.disabled.set(this.cpu.mem, this.frame, 1);
  }

  private syscall(): void {
    const { cpu } = this;
    if (cpu.argWord(0) !== Syscall.Yield) {
      cpu.answer(this.answer());
      return;
    }
    if (!this.isDisabled) {
      cpu.answer(Err.SYS_ERR_CALLER_ENABLED);
      return;
    }
    const at = this.frame + DispatcherFrame.wakeup.offset;
    const wakeup = fromWords(cpu.mem.load32(asPaddr(at)), cpu.mem.load32(asPaddr(at + 4)));
    this.wakeups.push(wakeup);
    const isPolling = DispatcherFrame.haswork.get(cpu.mem, this.frame) !== 0;
    this.next = wakeup === 0 && !isPolling ? undefined : { gate: Gate.Run, args: [] };
    if (isPolling) cpu.cycles += LATENCY;
    else if (wakeup !== 0) cpu.cycles = Math.max(cpu.cycles, wakeup + LATENCY);
    cpu.leave();
  }

  private fault(va: number, access: number): void {
    this.log.push(`fault at ${va}${this.isDisabled ? ' while disabled' : ''}`);
    const gate = this.isDisabled ? Gate.PageFaultDisabled : Gate.PageFault;
    this.next = { gate, args: [va, 4, 0, access] };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
