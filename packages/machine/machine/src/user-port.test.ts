/** User mode at a core: who holds it, loads and stores, system calls, pre-emption. */

import { offset } from '@barreleye/core';
import { PageFlag, PowerReg, TrapKind } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { createRig, DATA_VA, DEVICE, enterUser, frame, PAGE, type Rig } from '../test/rig.ts';
import { Cost } from './costs.ts';
import { UserPort } from './user-port.ts';

const { Read, Write, Execute } = PageFlag;

interface PortRig {
  readonly rig: Rig;
  readonly port: UserPort;
}

/** A core in user mode that a program holds, with two pages of data and a hole behind them. */
function create(): PortRig {
  const rig = createRig();
  rig.tables.map(DATA_VA, frame(2), Read | Write);
  rig.tables.map(DATA_VA + PAGE, frame(5), Read | Write);
  rig.tables.map(DATA_VA + 3 * PAGE, frame(6), Read);
  rig.tables.map(DATA_VA + 4 * PAGE, DEVICE, Read | Write);
  rig.tables.map(DATA_VA + 5 * PAGE, DEVICE + PAGE, Read | Write);
  const port = new UserPort(rig.core);
  enterUser(rig);
  port.take();
  return { rig, port };
}

describe('a port is live', () => {
  it('from taking the core until the kernel enters user mode anew', () => {
    const rig = createRig();
    const port = new UserPort(rig.core);
    expect(port.isLive()).toBe(false);
    enterUser(rig);
    expect(port.isLive()).toBe(false);
    port.take();
    expect(port.isLive()).toBe(true);
    rig.onTrap = () => rig.core.enterUser();
    rig.core.trap(TrapKind.Interrupt);
    expect(port.isLive()).toBe(false);
    port.take();
    expect(port.isLive()).toBe(true);
  });

  it('across a trap that the kernel resumes from', () => {
    const { rig, port } = create();
    rig.onTrap = () => rig.core.resumeUser();
    expect(port.syscall()).toBe(true);
    expect(port.isLive()).toBe(true);
  });

  it.each<[string, (rig: Rig) => void]>([
    ['enters somebody', ({ core }) => core.enterUser()],
    ['idles', ({ core }) => core.idle()],
    ['halts', ({ core }) => core.halt()],
  ])('no longer once the kernel %s', (_, leave) => {
    const { rig, port } = create();
    rig.onTrap = () => leave(rig);
    expect(port.syscall()).toBe(false);
    expect(port.isLive()).toBe(false);
  });

  it('never again for a program that the core was taken from, when it idles and comes back', () => {
    const { rig, port } = create();
    rig.onTrap = () => rig.core.idle();
    port.syscall();
    rig.onTrap = () => rig.core.enterUser();
    rig.core.trap(TrapKind.Interrupt);
    expect(port.isLive()).toBe(false);
  });
});

describe('a program that has lost the core', () => {
  function lost(): PortRig {
    const { rig, port } = create();
    rig.onTrap = () => rig.core.enterUser();
    port.syscall();
    rig.onTrap = () => expect.unreachable('it reached the kernel');
    rig.traps.length = 0;
    return { rig, port };
  }

  it('cannot trap', () => {
    const { rig, port } = lost();
    rig.core.raise(5);
    expect([port.syscall(), port.poll()]).toEqual([false, false]);
    expect(rig.traps).toEqual([]);
  });

  it('can neither read nor change memory, nor fault', () => {
    const { rig, port } = lost();
    rig.mem.store32(frame(2), 0x1234_5678);
    expect([port.load8(DATA_VA), port.load32(DATA_VA)]).toEqual([-1, -1]);
    expect([port.store8(DATA_VA, 0), port.store32(DATA_VA, 0)]).toEqual([false, false]);
    expect([port.load32(0), port.store32(0, 0)]).toEqual([-1, false]);
    expect(rig.mem.load32(frame(2))).toBe(0x1234_5678);
    expect(rig.traps).toEqual([]);
  });
});

describe('loads and stores of user mode', () => {
  it('go through the page tables at every width', () => {
    const { rig, port } = create();
    expect(port.store32(DATA_VA + 8, 0xfedc_ba98)).toBe(true);
    expect(rig.mem.load32(offset(frame(2), 8))).toBe(0xfedc_ba98);
    expect(port.load32(DATA_VA + 8)).toBe(0xfedc_ba98);
    expect([port.load16(DATA_VA + 8), port.load16(DATA_VA + 10)]).toEqual([0xba98, 0xfedc]);
    expect([8, 9, 10, 11].map((i) => port.load8(DATA_VA + i))).toEqual([0x98, 0xba, 0xdc, 0xfe]);
    port.store8(DATA_VA + 9, 0x1_11);
    port.store16(DATA_VA + 10, 0x5_2222);
    expect(port.load32(DATA_VA + 8)).toBe(0x2222_1198);
    port.store32(DATA_VA + PAGE, 7);
    expect(rig.mem.load32(frame(5))).toBe(7);
  });

  it('read all ones as a value, not as a fault', () => {
    const { port } = create();
    port.store32(DATA_VA, -1);
    expect([port.load32(DATA_VA), port.load8(DATA_VA)]).toEqual([0xffff_ffff, 0xff]);
  });

  it.each<[string, number, (port: UserPort) => boolean, number]>([
    ['load from nowhere', 2, (port) => port.load8(DATA_VA + 2 * PAGE) === -1, 0],
    ['store to nowhere', 2, (port) => !port.store16(DATA_VA + 2 * PAGE, 1), 1],
    ['store to a page for reading', 3, (port) => !port.store32(DATA_VA + 3 * PAGE, 1), 1],
  ])('are a page fault: %s', (_, page, act, access) => {
    const { rig, port } = create();
    rig.onTrap = () => rig.core.enterUser();
    expect(act(port)).toBe(true);
    expect(rig.traps).toEqual([TrapKind.PageFault]);
    expect([rig.core.faultAddress, rig.core.faultAccess]).toEqual([DATA_VA + page * PAGE, access]);
    expect(port.isLive()).toBe(false);
  });

  it('need no right to execute', () => {
    const { rig, port } = create();
    rig.tables.map(DATA_VA + 2 * PAGE, frame(7), Read | Execute);
    expect(port.load32(DATA_VA + 2 * PAGE)).toBe(0);
    rig.onTrap = () => rig.core.enterUser();
    expect(port.store32(DATA_VA + 2 * PAGE, 1)).toBe(false);
  });

  it('reach devices that are mapped', () => {
    const { rig, port } = create();
    expect(port.load32(DATA_VA + 4 * PAGE + PowerReg.OFF)).toBe(0);
    expect(port.store32(DATA_VA + 4 * PAGE + PowerReg.OFF, 42)).toBe(true);
    expect(rig.offCodes).toEqual([42]);
  });

  it.each<[string, (port: UserPort) => boolean, number]>([
    ['loads', (port) => port.load32(DATA_VA + 5 * PAGE + 4) === -1, 0],
    ['stores', (port) => !port.store8(DATA_VA + 5 * PAGE + 4, 1), 1],
  ])('are a bus error where a mapping leads to nobody: %s', (_, act, access) => {
    const { rig, port } = create();
    rig.onTrap = () => rig.core.enterUser();
    expect(act(port)).toBe(true);
    expect(rig.traps).toEqual([TrapKind.BusError]);
    expect([rig.core.faultAddress, rig.core.faultAccess]).toEqual([DATA_VA + 5 * PAGE + 4, access]);
  });

  it('are the same for words that cores share', () => {
    const { rig, port } = create();
    expect(port.storeRelease32(DATA_VA + 8, 0xfedc_ba98)).toBe(true);
    expect(rig.mem.load32(offset(frame(2), 8))).toBe(0xfedc_ba98);
    expect([port.loadAcquire32(DATA_VA + 8), port.loadAcquire32(DATA_VA)]).toEqual([
      0xfedc_ba98, 0,
    ]);
    expect(port.loadAcquire32(DATA_VA + 4 * PAGE + PowerReg.OFF)).toBe(0);
    expect(port.storeRelease32(DATA_VA + 4 * PAGE + PowerReg.OFF, 42)).toBe(true);
    expect([rig.offCodes, rig.traps]).toEqual([[42], []]);
  });

  it.each<[string, number, (port: UserPort, va: number) => boolean]>([
    ['a load from nowhere', 2 * PAGE, (port, va) => port.loadAcquire32(va) === -1],
    ['a store to a page for reading', 3 * PAGE, (port, va) => !port.storeRelease32(va, 1)],
    ['a misaligned load', 1, (port, va) => port.loadAcquire32(va) === -1],
    ['a misaligned store', 2, (port, va) => !port.storeRelease32(va, 1)],
  ])('fault once for a word that cores share: %s', (_, at, act) => {
    const { rig, port } = create();
    rig.onTrap = () => rig.core.enterUser();
    expect(act(port, DATA_VA + at)).toBe(true);
    expect(rig.traps).toHaveLength(1);
    expect(rig.core.faultAddress).toBe(DATA_VA + at);
    expect(port.isLive()).toBe(false);
  });

  it('must be aligned, so that they never reach beyond the page they were translated for', () => {
    for (const at of [1, 2, 3, PAGE - 1, PAGE - 2, PAGE - 3]) {
      const { rig, port } = create();
      rig.mem.store32(frame(3), 0x5ec0_5ec0); // the next frame, which belongs to nobody here
      rig.onTrap = () => rig.core.enterUser();
      expect(port.load32(DATA_VA + at)).toBe(-1);
      expect(rig.traps).toEqual([TrapKind.BusError]);
      port.take();
      expect(port.store32(DATA_VA + at, -1)).toBe(false);
      expect(rig.mem.load32(frame(3))).toBe(0x5ec0_5ec0);
      port.take();
      expect(port.load16(DATA_VA + (at | 1))).toBe(-1);
      expect(rig.traps.length).toBe(3);
    }
  });

  it('take the time of a walk for the first access to a page', () => {
    const { port } = create();
    const costOf = (act: () => void): number => {
      const before = port.now();
      act();
      return port.now() - before;
    };
    expect(costOf(() => port.load32(DATA_VA))).toBeGreaterThanOrEqual(Cost.Walk);
    expect(costOf(() => port.load32(DATA_VA))).toBe(Cost.Access);
  });
});

describe('loads and stores at impossible addresses', () => {
  it.each([2 ** 47, -(2 ** 47) - 4, 2 ** 53])('are no page fault: %d', (va) => {
    const { rig, port } = create();
    rig.onTrap = () => rig.core.enterUser();
    expect(port.load32(va)).toBe(-1);
    expect(rig.traps).toEqual([TrapKind.Protection]);
    expect(rig.core.faultName).toBe('general-protection');
  });
});

it('time that is spent is a whole number of cycles, or none passes', () => {
  const { port } = create();
  const before = port.now();
  for (const cycles of [Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY, 2 ** 32]) port.spend(cycles);
  expect(port.now()).toBe(before);
  port.spend(3);
  expect(port.now()).toBe(before + 3);
});

describe('a point of pre-emption', () => {
  it('lets a cycle pass, and no more, when no interrupt waits', () => {
    const { rig, port } = create();
    const before = port.now();
    expect(port.poll()).toBe(true);
    expect([rig.traps, port.now()]).toEqual([[], before + 1]);
  });

  it('takes an interrupt, and goes on if the kernel resumes', () => {
    const { rig, port } = create();
    rig.core.raise(7);
    rig.onTrap = () => {
      expect(rig.core.takeInterrupt()).toBe(7);
      rig.core.resumeUser();
    };
    expect(port.poll()).toBe(true);
    expect(port.poll()).toBe(true);
    expect(rig.traps).toEqual([TrapKind.Interrupt]);
  });

  it('loses the core when the kernel gives it to somebody else', () => {
    const { rig, port } = create();
    rig.core.setTimer(port.now() + 10);
    rig.onTrap = () => {
      rig.core.takeInterrupt();
      rig.core.enterUser();
    };
    port.spend(8);
    expect(port.poll()).toBe(true);
    expect(port.poll()).toBe(false);
    expect(rig.traps).toEqual([TrapKind.Interrupt]);
  });

  it('goes back to the host without a trap when the turn is over', () => {
    const { rig, port } = create();
    port.pauseAt = port.now() + 100;
    port.spend(98);
    expect(port.poll()).toBe(true);
    expect([port.poll(), port.isLive(), port.syscall()]).toEqual([false, false, false]);
    expect(rig.traps).toEqual([]);
  });

  it('holds the core again when a paused program is entered again', () => {
    const { rig, port } = create();
    port.pauseAt = port.now();
    port.regs[0] = 77;
    expect(port.poll()).toBe(false);
    port.pauseAt = Number.POSITIVE_INFINITY;
    port.take();
    expect([port.isLive(), port.regs[0]]).toEqual([true, 77]);
    rig.onTrap = () => rig.core.resumeUser();
    expect(port.syscall()).toBe(true);
  });
});
