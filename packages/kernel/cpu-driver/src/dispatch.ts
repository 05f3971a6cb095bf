/**
 * Leaving the kernel into a dispatcher: saving and restoring its registers, upcalls, idling.
 * Every function named `dispatch…` or `upcall…` ends a kernel entry.
 */

import { asPaddr, type Ptr } from '@barreleye/core';
import {
  Dcb,
  DcbState,
  DeathReason,
  DispatcherFrame,
  Kcb,
  NO_DCB,
  readRegister,
  writeRegister,
} from '@barreleye/spec';
import { currentDcb, frameOf } from './dcb.ts';
import { die, reportDeaths } from './deaths.ts';
import { type Fault, NO_FAULT } from './fault.ts';
import { count, type Kernel } from './kernel.ts';
import { preemptionTime, schedule } from './schedule.ts';
import { tagOf } from './tag.ts';
import { nextWakeup } from './wakeup.ts';

/** Where registers are saved: the areas of the dispatcher frame. */
export type SaveArea = 'enabledArea' | 'disabledArea' | 'trapArea';

/** Whether `dcb`, which has the core, is disabled: by its flag or by where its code is. */
export function isDisabled(k: Kernel, dcb: Ptr<'Dcb'>): boolean {
  const frame = frameOf(k, dcb);
  if (DispatcherFrame.disabled.get(k.mem, frame) !== 0) return true;
  const pc = programCounter(k);
  const at = frame + DispatcherFrame.critPcLow.offset;
  // User memory may hold anything: compare words, never trust them to be an exact number.
  const low = readUserWord64(k, at);
  return pc >= low && pc < readUserWord64(k, at + 8);
}

/**
 * Keep the live registers of `dcb`, which has the core, so that it can go on later: where it is if
 * it is disabled, else through an upcall. Faults are forgiven to whom that finds enabled (T36).
 */
export function preempt(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const disabled = isDisabled(k, dcb);
  saveRegisters(k, dcb, disabled ? 'disabledArea' : 'enabledArea');
  Dcb.disabled.set(k.mem, dcb, disabled ? 1 : 0);
  if (!disabled) Dcb.faultsTaken.set(k.mem, dcb, 0);
}

/** Put the live registers into a save area of `dcb`. */
export function saveRegisters(k: Kernel, dcb: Ptr<'Dcb'>, area: SaveArea): void {
  const { hal, mem } = k;
  const first = (frameOf(k, dcb) + DispatcherFrame[area].offset - mem.origin) / 4;
  const wordCount = 2 * hal.arch.registers.length;
  const { words } = mem;
  const { regs } = hal;
  for (let i = 0; i < wordCount; i++) words[first + i] = regs[i] ?? 0;
}

/**
 * Give the core to whoever the scheduler chooses; idle if there is nobody. Who can be neither
 * resumed nor entered never runs again.
 */
export function dispatchNext(k: Kernel): void {
  const { mem } = k;
  for (;;) {
    reportDeaths(k); // who listens may be who runs next
    const dcb = schedule(k);
    if (dcb === NO_DCB) {
      dispatchIdle(k);
      return;
    }
    if (Dcb.disabled.get(mem, dcb) === 1 || hasRunEntry(k, dcb)) {
      dispatch(k, dcb);
      return;
    }
    die(k, dcb, DeathReason.NoEntry, NO_FAULT);
  }
}

/** Whether `dcb`, which does not have the core, could get it: alive, not stopped, enterable. */
export function canRun(k: Kernel, dcb: Ptr<'Dcb'>): boolean {
  const { mem } = k;
  const state = Dcb.state.get(mem, dcb);
  const isStarted = state === DcbState.Runnable || state === DcbState.Blocked;
  if (!isStarted || Dcb.isStopped.get(mem, dcb) === 1) return false;
  return Dcb.disabled.get(mem, dcb) === 1 || hasRunEntry(k, dcb);
}

/** Whether `dcb` says where it wants to be entered at Run. */
export function hasRunEntry(k: Kernel, dcb: Ptr<'Dcb'>): boolean {
  return entryAt(k, dcb, DispatcherFrame.runEntry.offset) !== 0;
}

/**
/**
 * Give the core to `dcb`, at the cost of whoever the scheduler chose last: resume it where it was
 * disabled, else enter it at Run, or at Lrpc for the message in the endpoint at `lrpcEndpoint` of
 * its frame.
 */
export function dispatch(k: Kernel, dcb: Ptr<'Dcb'>, lrpcEndpoint = 0): void {
  const { mem, hal } = k;
  switchTo(k, dcb);
  hal.setTimer(Math.min(preemptionTime(k), nextWakeup(k)));
  DispatcherFrame.systime.set(mem, frameOf(k, dcb), hal.now());
  if (Dcb.disabled.get(mem, dcb) === 1) {
    restoreRegisters(k, dcb, 'disabledArea');
    hal.enterUser();
    return;
  }
  const lrpcEntry = lrpcEndpoint === 0 ? 0 : entryAt(k, dcb, DispatcherFrame.lrpcEntry.offset);
  if (lrpcEntry === 0) {
    prepareUpcall(k, dcb, entryAt(k, dcb, DispatcherFrame.runEntry.offset));
  } else {
    prepareUpcall(k, dcb, lrpcEntry);
    writeRegister(hal.regs, hal.arch.upcallArgs[1], lrpcEndpoint);
  }
  hal.enterUser();
}

/** Enter `dcb`, which has the core, at `entry`, disabled, and tell it of `fault`. */
export function upcall(k: Kernel, dcb: Ptr<'Dcb'>, entry: number, fault: Fault): void {
  const { hal } = k;
  const { regs } = hal;
  const { upcallArgs } = hal.arch;
  prepareUpcall(k, dcb, entry);
  writeRegister(regs, upcallArgs[1], fault.address);
  writeRegister(regs, upcallArgs[2], fault.code);
  writeRegister(regs, upcallArgs[3], fault.pc);
  writeRegister(regs, upcallArgs[4], fault.access);
  hal.enterUser();
}

/** The program counter of the live register file. */
export function programCounter(k: Kernel): number {
  return readRegister(k.hal.regs, k.hal.arch.pc);
}

/** A 64-bit word of user memory as a number; anything that is not an exact one counts as 0. */
export function readUserWord64(k: Kernel, at: number): number {
  const high = k.mem.load32(asPaddr(at + 4));
  return high < 0x20_0000 ? high * 2 ** 32 + k.mem.load32(asPaddr(at)) : 0;
}

/** Make `dcb` the current dispatcher: its address space and its thread pointer. */
function switchTo(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { hal, mem, kcb } = k;
  if (currentDcb(k) === dcb) return;
  Kcb.current.set(mem, kcb, dcb);
  count(k, Kcb.contextSwitches);
  hal.loadRoot(Dcb.vspaceRoot.get(mem, dcb), tagOf(k, dcb));
  hal.setThreadPointer(Dcb.frameVaddr.get(mem, dcb));
}

/** The entry point whose address is at `offset` of the frame of `dcb`, 0 for none. */
function entryAt(k: Kernel, dcb: Ptr<'Dcb'>, offset: number): number {
  return readUserWord64(k, frameOf(k, dcb) + offset);
}

/** Disable `dcb` and fill the registers: the address of its frame, `entry`, zero otherwise. */
function prepareUpcall(k: Kernel, dcb: Ptr<'Dcb'>, entry: number): void {
  const { hal, mem } = k;
  const { regs, arch } = hal;
  DispatcherFrame.disabled.set(mem, frameOf(k, dcb), 1);
  const wordCount = 2 * arch.registers.length;
  for (let i = 0; i < wordCount; i++) regs[i] = 0;
  writeRegister(regs, arch.upcallArgs[0], Dcb.frameVaddr.get(mem, dcb));
  writeRegister(regs, arch.pc, entry);
}

function dispatchIdle(k: Kernel): void {
  Kcb.current.set(k.mem, k.kcb, NO_DCB);
  k.hal.setTimer(nextWakeup(k));
  k.hal.idle();
}

function restoreRegisters(k: Kernel, dcb: Ptr<'Dcb'>, area: SaveArea): void {
  const { hal, mem } = k;
  const first = (frameOf(k, dcb) + DispatcherFrame[area].offset - mem.origin) / 4;
  const wordCount = 2 * hal.arch.registers.length;
  const { words } = mem;
  const { regs } = hal;
  for (let i = 0; i < wordCount; i++) regs[i] = words[first + i] ?? 0;
}
