/** A core: power-on, interrupts, traps, and what becomes of a CPU driver that breaks. */

import { coreId, KernelPanic, paddr } from '@barreleye/core';
import { Access, PageFlag, TrapKind } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { createRig, DATA_VA, DEVICE, enterUser, frame, type Rig } from '../test/rig.ts';
import { type Core, CoreMode } from './core.ts';
import { Cost } from './costs.ts';
import { IrqLine } from './hal.ts';

function running(): Rig {
  const rig = createRig();
  enterUser(rig);
  return rig;
}

/** All interrupts that wait, in the order in which the core hands them out. */
function takeAll(core: Core): number[] {
  const lines: number[] = [];
  for (let line = core.takeInterrupt(); line >= 0; line = core.takeInterrupt()) lines.push(line);
  return lines;
}

describe('power-on', () => {
  it('is the first kernel entry and may happen once', () => {
    const rig = createRig();
    expect(rig.core.mode).toBe(CoreMode.Off);
    enterUser(rig);
    expect(rig.core.mode).toBe(CoreMode.User);
    expect(() => enterUser(rig)).toThrow('the core is running already');
  });

  it('panics when the CPU driver does not leave the kernel', () => {
    const { core } = createRig();
    const handler = { onTrap: () => undefined };
    expect(() => core.powerOn(handler, () => undefined)).toThrow('did not leave the kernel');
  });
});

it('tells RAM from what is none, for the kernel', () => {
  const { core, mem } = running();
  expect(core.isRam(paddr(mem.origin), mem.bytes)).toBe(true);
  expect(core.isRam(paddr(mem.origin), mem.bytes + 1)).toBe(false);
  expect(core.isRam(paddr(DEVICE), 4)).toBe(false);
});

describe('interrupts of a core', () => {
  it('are handed out lowest line first, each once', () => {
    const { core } = running();
    for (const line of [31, 5, IrqLine.Doorbell, 17, IrqLine.FirstDevice]) core.raise(line);
    expect(core.hasInterrupt()).toBe(true);
    expect(takeAll(core)).toEqual([1, 2, 5, 17, 31]);
    expect(core.hasInterrupt()).toBe(false);
    expect(core.takeInterrupt()).toBe(-1);
  });

  it('on one line are one until it is taken', () => {
    const { core } = running();
    core.raise(5);
    core.raise(5);
    expect(takeAll(core)).toEqual([5]);
    core.raise(5);
    expect(takeAll(core)).toEqual([5]);
  });

  it('that arrive while others are served are not lost', () => {
    const { core } = running();
    core.raise(9);
    expect(core.takeInterrupt()).toBe(9);
    core.raise(3);
    core.raise(9);
    expect(takeAll(core)).toEqual([3, 9]);
  });

  it.each([IrqLine.Timer, IrqLine.Count, -1])('do not exist on line %i', (line) => {
    const { core } = running();
    expect(() => core.raise(line)).toThrow('no such interrupt line');
  });

  it('come from the timer at its deadline, not before, and first of all', () => {
    const { core } = running();
    core.cycles = 500;
    core.setTimer(1000);
    core.cycles = 999;
    expect([core.hasInterrupt(), core.takeInterrupt()]).toEqual([false, -1]);
    core.cycles = 1000;
    core.raise(IrqLine.Doorbell);
    expect(core.hasInterrupt()).toBe(true);
    expect(takeAll(core)).toEqual([IrqLine.Timer, IrqLine.Doorbell]);
  });

  it('come from the timer once for each time that it is armed', () => {
    const { core } = running();
    core.setTimer(10);
    core.cycles = 20;
    expect(takeAll(core)).toEqual([IrqLine.Timer]);
    core.cycles = 1e9;
    expect(core.hasInterrupt()).toBe(false);
    core.setTimer(5); // in the past: at once
    expect(takeAll(core)).toEqual([IrqLine.Timer]);
  });

  it('do not come from a timer that was disarmed or put off', () => {
    const { core } = running();
    core.setTimer(10);
    core.setTimer(Number.POSITIVE_INFINITY);
    core.cycles = 20;
    expect(core.hasInterrupt()).toBe(false);
    core.setTimer(30);
    core.setTimer(40);
    core.cycles = 35;
    expect(core.hasInterrupt()).toBe(false);
  });
});

describe('a trap', () => {
  it('tells the kernel its reason and costs time', () => {
    const rig = running();
    rig.onTrap = () => rig.core.resumeUser();
    const before = rig.core.now();
    rig.core.trap(TrapKind.Syscall);
    expect(rig.traps).toEqual([TrapKind.Syscall]);
    expect(rig.core.now()).toBe(before + Cost.Trap);
    expect(rig.core.mode).toBe(CoreMode.User);
  });

  it('records address, access and code of a page fault', () => {
    const rig = running();
    rig.onTrap = () => rig.core.resumeUser();
    rig.tables.map(DATA_VA, frame(2), PageFlag.Read);
    rig.core.mmu.translate(DATA_VA + 8, Access.Write);
    rig.core.pageFault(DATA_VA + 8, Access.Write);
    const { faultAddress, faultAccess, faultCode, faultName } = rig.core;
    expect(rig.traps).toEqual([TrapKind.PageFault]);
    expect([faultAddress, faultAccess, faultName]).toEqual([
      DATA_VA + 8,
      Access.Write,
      'protection',
    ]);
    expect(faultCode).toBe(7); // P, W/R, U/S. Intel SDM vol. 3A 4.7
  });

  it('records address and access of a bus error', () => {
    const rig = running();
    rig.onTrap = () => rig.core.resumeUser();
    rig.core.faultCode = 99;
    rig.core.busError(DATA_VA, Access.Read);
    expect(rig.traps).toEqual([TrapKind.BusError]);
    expect([rig.core.faultAddress, rig.core.faultAccess, rig.core.faultCode]).toEqual([
      DATA_VA,
      Access.Read,
      0,
    ]);
  });

  it('reaches an idle core only as an interrupt', () => {
    const rig = running();
    rig.onTrap = () => rig.core.idle();
    rig.core.trap(TrapKind.Syscall);
    expect(rig.core.mode).toBe(CoreMode.Idle);
    expect(() => rig.core.trap(TrapKind.Syscall)).toThrow('only interrupts reach');
    rig.core.trap(TrapKind.Interrupt);
    expect(rig.traps).toEqual([TrapKind.Syscall, TrapKind.Interrupt]);
  });

  it('reaches no core that is off again or was never started', () => {
    const rig = running();
    rig.onTrap = () => rig.core.halt();
    rig.core.trap(TrapKind.Syscall);
    expect(rig.core.mode).toBe(CoreMode.Off);
    expect(() => rig.core.trap(TrapKind.Interrupt)).toThrow(KernelPanic);
    expect(() => createRig().core.trap(TrapKind.Interrupt)).toThrow(KernelPanic);
    expect(rig.traps).toEqual([TrapKind.Syscall]);
  });
});

describe('the kernel', () => {
  it('is left for good reason: user mode begins anew unless it is resumed', () => {
    const rig = running();
    const { core } = rig;
    const generationAfter = (leave: () => void): number => {
      rig.onTrap = leave;
      const before = core.generation;
      core.trap(TrapKind.Interrupt);
      return core.generation - before;
    };
    expect(generationAfter(() => core.resumeUser())).toBe(0);
    expect(generationAfter(() => core.enterUser())).toBe(1);
    expect(generationAfter(() => core.idle())).toBe(1);
    expect(generationAfter(() => core.halt())).toBe(1);
  });

  it('leaves nothing behind when it switches the core off, and time goes on', () => {
    const rig = running();
    const { core } = rig;
    core.cycles = 5000;
    core.regs.fill(7);
    core.raise(IrqLine.FirstDevice);
    rig.onTrap = () => {
      core.setTimer(9000);
      core.halt();
    };
    core.trap(TrapKind.Syscall);
    expect([core.mode, core.hasInterrupt(), core.currentRoot()]).toEqual([CoreMode.Off, false, 0]);
    expect(core.regs.every((word) => word === 0)).toBe(true);
    expect(core.cycles).toBeGreaterThanOrEqual(5000);
    core.powerOn({ onTrap: () => core.idle() }, () => core.idle());
    expect(core.mode).toBe(CoreMode.Idle);
  });

  it('can be replaced between two traps', () => {
    const rig = running();
    const seen: number[] = [];
    rig.core.handler = {
      onTrap: (kind) => {
        seen.push(kind);
        rig.core.resumeUser();
      },
    };
    rig.core.trap(TrapKind.Syscall);
    expect([seen, rig.traps]).toEqual([[TrapKind.Syscall], []]);
  });

  it('loads roots, the tag with them, and can ask for the root', () => {
    const { core, tables } = running();
    expect(createRig().core.currentRoot()).toBe(0);
    expect(core.currentRoot()).toBe(tables.root);
    tables.map(DATA_VA, frame(2), PageFlag.Read);
    expect(core.mmu.translate(DATA_VA, Access.Read)).toBe(frame(2));
    tables.unmap(DATA_VA);
    core.loadRoot(tables.root, 2);
    expect(core.mmu.translate(DATA_VA, Access.Read)).toBe(-1);
    core.loadRoot(tables.root, 1);
    expect(core.mmu.translate(DATA_VA, Access.Read)).toBe(frame(2));
    core.invalidatePage(DATA_VA);
    expect(core.mmu.translate(DATA_VA, Access.Read)).toBe(-1);
  });

  it('can make the core forget all translations', () => {
    const { core, tables } = running();
    tables.map(DATA_VA, frame(2), PageFlag.Read);
    core.mmu.translate(DATA_VA, Access.Read);
    tables.unmap(DATA_VA);
    core.invalidateAll();
    expect(core.mmu.translate(DATA_VA, Access.Read)).toBe(-1);
  });

  it('rings the doorbell of another core', () => {
    const { core, rung } = running();
    core.raiseOn(coreId(3), IrqLine.Doorbell);
    expect(rung).toEqual([3]);
  });
});

describe('a CPU driver that is broken', () => {
  it.each<[string, (core: Core) => void, string]>([
    ['does not leave the kernel', () => undefined, 'the CPU driver did not leave the kernel'],
    [
      'leaves the kernel twice',
      (core) => {
        core.resumeUser();
        core.idle();
      },
      'the kernel can be left only once an entry',
    ],
  ])('stops the core when it %s', (_, onTrap, message) => {
    const rig = running();
    rig.onTrap = () => onTrap(rig.core);
    rig.core.trap(TrapKind.Syscall);
    expect(rig.core.mode).toBe(CoreMode.Halted);
    expect(rig.core.failure).toBeInstanceOf(KernelPanic);
    expect(String(rig.core.failure)).toContain(message);
  });

  it('is kept for the host, and whoever trapped does not see it', () => {
    const rig = running();
    const bug = new Error('a bug');
    rig.onTrap = () => {
      throw bug;
    };
    const generation = rig.core.generation;
    expect(() => rig.core.trap(TrapKind.Syscall)).not.toThrow();
    expect(rig.core.failure).toBe(bug);
    expect(rig.core.mode).toBe(CoreMode.Halted);
    expect(rig.core.generation).toBeGreaterThan(generation);
  });

  it('stops the core also if it fails after it has left the kernel', () => {
    const rig = running();
    rig.onTrap = () => {
      rig.core.resumeUser();
      throw new Error('too late');
    };
    rig.core.trap(TrapKind.Interrupt);
    expect(rig.core.mode).toBe(CoreMode.Halted);
    expect(String(rig.core.failure)).toContain('too late');
  });
});
