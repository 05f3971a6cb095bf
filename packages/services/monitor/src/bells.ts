/**
 * Where domains of this core are notified: each has an interrupt line that other cores may raise.
 */

import { assert, type Errval, fail, isOk, type Result, succeed } from '@barreleye/core';
import {
  type Capref,
  irqAllocate,
  irqConnect,
  KernelCap,
  notifySend,
  type Os,
  TASK_IRQ_TABLE,
  TASK_KERNEL,
  unwrap,
} from '@barreleye/libos';
import { Err, NOTIFY_LINES, Rights } from '@barreleye/spec';

/** The line of the monitor itself: the first that other cores may raise. */
export const MONITOR_LINE: number = NOTIFY_LINES.first;

/** A line that is taken. */
export interface Line {
  readonly line: number;
  readonly irq: Capref<'IRQDest'>;
}

/** The lines of this core, and who is notified at which. */
export class Bells {
  private readonly os: Os;
  private readonly lines: Map<object, Line>;
  private readonly taken: Set<number>;

  constructor(os: Os) {
    this.os = os;
    this.lines = new Map();
    this.taken = new Set([MONITOR_LINE]);
  }

  /** Lines that somebody has. */
  get count(): number {
    return this.lines.size;
  }

  /** The line of `owner`, undefined if it has none. */
  lineOf(owner: object): number | undefined {
    return this.lines.get(owner)?.line;
  }

  /** The line of `owner`. @errors MON_ERR_NO_BELL it has none */
  find(owner: object): Result<number> {
    const line = this.lineOf(owner);
    return line === undefined ? fail(Err.MON_ERR_NO_BELL) : succeed(line);
  }

  /**
   * Have `owner` notified at `endpoint`, which stays its own.
   * @errors MON_ERR_NO_LINE none is left; INIT_ERR_NOT_YOURS it has one; LIB_ERR_IRQ_CONNECT
   */
  add(owner: object, endpoint: Capref<'EndPointLMP'>): Errval {
    const reserved = this.reserve(owner);
    if (!reserved.ok) return reserved.err;
    const err = irqConnect(this.os.sys, reserved.value.irq, endpoint);
    if (!isOk(err)) this.remove(owner);
    return err;
  }

  /**
   * A line for `owner`, who connects it.
   * @errors MON_ERR_NO_LINE none is left; INIT_ERR_NOT_YOURS it has one
   */
  reserve(owner: object): Result<Line> {
    const { os, lines, taken } = this;
    if (lines.has(owner)) return fail(Err.INIT_ERR_NOT_YOURS);
    let line: number = NOTIFY_LINES.first;
    while (taken.has(line)) line += 1;
    if (line >= NOTIFY_LINES.end) return fail(Err.MON_ERR_NO_LINE);
    const irq = os.slots.fill((slot) => irqAllocate(os.sys, slot, TASK_IRQ_TABLE, line));
    if (!irq.ok) return irq;
    const made = { line, irq: irq.value };
    lines.set(owner, made);
    taken.add(line);
    return succeed(made);
  }

  /** `owner` is no more: its line is free. */
  remove(owner: object): void {
    const found = this.lines.get(owner);
    if (found === undefined) return;
    this.lines.delete(owner);
    this.taken.delete(found.line);
    this.os.drop(found.irq);
  }
}

/** What raises a line of a core, to use or to give away. @errors no slot; LIB_ERR_KERNEL_CAP */
export function createBell(os: Os, core: number, line: number): Result<Capref<'Notify_IPI'>> {
  const kernel = new KernelCap(os.sys, TASK_KERNEL);
  const identity = {
    type: 'Notify_IPI',
    rights: Rights.Lent,
    iftype: 0,
    base: 0,
    bytes: 0,
    owner: unwrap(kernel.coreId()),
    arg0: core,
    arg1: line,
  } as const;
  return os.slots.fill((slot) => kernel.create(slot, identity));
}

/** Raise a line once. What cannot be made now is not rung: whoever listens there looks later. */
export function ringOnce(os: Os, core: number, line: number): void {
  const bell = createBell(os, core, line);
  if (!bell.ok) return;
  const err = notifySend(os.sys, bell.value);
  assert(isOk(err), 'a line that was given out can be raised');
  os.drop(bell.value);
}
