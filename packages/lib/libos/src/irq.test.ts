/** Interrupts: their words, their errors, and what does not compile. */

import { errPush, fail, OK } from '@barreleye/core';
import {
  archArmv7,
  archX86_64,
  Err,
  errNames,
  IrqDestCmd,
  IrqSrcCmd,
  IrqTableCmd,
  invokeHeader,
} from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { Recorder } from '../test/recorder.ts';
import { capref, type Slot } from './capref.ts';
import { irqAllocate, irqConnect, irqCore, irqLine, irqSourceEnd, irqSourceStart } from './irq.ts';
import type { Sys } from './sys.ts';
import { TASK_IRQ_TABLE } from './well-known.ts';

const SLOT: Slot = capref(8, 20);
const LINE = capref<'IRQDest'>(8, 1);
const SOURCE = capref<'IRQSrc'>(8, 3);

describe.each([archX86_64, archArmv7])('the words of an interrupt operation on $name', (arch) => {
  it('allocate and connect', () => {
    const allocator = new Recorder(arch);
    expect(irqAllocate(allocator.sys, SLOT, TASK_IRQ_TABLE, 9).ok).toBe(true);
    const header = invokeHeader(IrqTableCmd.AllocDestCap, 2);
    expect(allocator.words(3)).toEqual([header, TASK_IRQ_TABLE.cptr, 9, 0x800, 20 | (1 << 24)]);
    const connector = new Recorder(arch);
    expect(irqConnect(connector.sys, LINE, capref(8, 2))).toBe(OK);
    expect(connector.words(2)).toEqual([invokeHeader(IrqDestCmd.Connect, 2), 0x801, 0x802, 2]);
  });

  it.each([
    ['line', (sys: Sys) => irqLine(sys, LINE), IrqDestCmd.GetVector, 0x801],
    ['core', (sys: Sys) => irqCore(sys, LINE), IrqDestCmd.GetCpu, 0x801],
    ['first number', (sys: Sys) => irqSourceStart(sys, SOURCE), IrqSrcCmd.GetVecStart, 0x803],
    ['last number', (sys: Sys) => irqSourceEnd(sys, SOURCE), IrqSrcCmd.GetVecEnd, 0x803],
  ])('ask for the %s', (_, ask, command, address) => {
    const kernel = new Recorder(arch, OK, 77);
    expect(ask(kernel.sys)).toEqual({ ok: true, value: 77 });
    expect(kernel.words(0)).toEqual([invokeHeader(command, 2), address]);
  });
});

it("the kernel's reason comes through under the library's own", () => {
  const why = errPush(Err.SYS_ERR_CAP_NOT_FOUND, Err.SYS_ERR_IRQ_LOOKUP_EP);
  const below = errNames(why);
  const { sys } = new Recorder(archX86_64, why);
  for (const [name, result] of [
    ['LIB_ERR_IRQ_ALLOCATE', irqAllocate(sys, SLOT, TASK_IRQ_TABLE, 9)],
    ['LIB_ERR_IRQ_CONNECT', fail(irqConnect(sys, LINE, capref(8, 2)))],
    ['LIB_ERR_CAP_IDENTIFY', irqLine(sys, LINE)],
  ] as const) {
    expect(result.ok ? [] : errNames(result.err)).toEqual([name, ...below]);
  }
});

it('an interrupt that goes to something other than an endpoint does not compile', () => {
  const { sys } = new Recorder();
  // @ts-expect-error: interrupts are messages
  irqConnect(sys, LINE, capref<'Frame'>(8, 1));
  // @ts-expect-error: only the interrupt table hands out interrupts
  irqAllocate(sys, SLOT, capref<'Frame'>(8, 1), 9);
  expect(irqLine(sys, LINE).ok).toBe(true);
});
