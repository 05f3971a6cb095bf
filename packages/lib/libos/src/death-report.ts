/** What the CPU driver says to whoever has registered: which dispatchers have died, and why. */

import { hex, never } from '@barreleye/core';
import {
  DEATH_REPORT_WORDS,
  DeathReason,
  MonitorMessage,
  reportAccess,
  reportDomainCore,
  reportMessage,
  reportReason,
  TrapKind,
} from '@barreleye/spec';
import { accessName } from './os-error.ts';

/** A dispatcher died although nobody deleted it. */
export interface DeathReport {
  /** Its domain: a number, and the core that has given it. */
  readonly domainId: number;
  readonly domainCore: number;
  readonly reason: DeathReason;
  /** Of the fault that killed it; 0 where there was none. */
  readonly address: number;
  /** Where it was then. */
  readonly pc: number;
  /** spec `Access`. */
  readonly access: number;
  /** The hardware's code of a page fault; of another fault its `TrapKind`. */
  readonly code: number;
}

/** The report in the words of a message; undefined if they are none. */
export function parseDeathReport(words: readonly number[]): DeathReport | undefined {
  const [head = 0, domainId = 0, code = 0, low = 0, high = 0, pcLow = 0, pcHigh = 0] = words;
  const reason = reportReason(head);
  const isReport =
    words.length === DEATH_REPORT_WORDS && reportMessage(head) === MonitorMessage.Death;
  if (!isReport || !isReason(reason)) return undefined;
  return {
    domainId,
    domainCore: reportDomainCore(head),
    reason,
    address: addressOf(low, high),
    pc: addressOf(pcLow, pcHigh),
    access: reportAccess(head),
    code,
  };
}

/** Why it died, for people. */
export function describeDeath(report: DeathReport): string {
  const { reason, access, address } = report;
  const at = `the program counter at ${hex(report.pc)}`;
  const fault = `${accessName(access)} at ${hex(address)}`;
  switch (reason) {
    case DeathReason.PageFault:
      return `page fault: ${fault}, ${at}`;
    case DeathReason.PageFaultDisabled:
      return `page fault while disabled: ${fault}, ${at}`;
    case DeathReason.Trap:
      return `${trapName(report)}, ${at}`;
    case DeathReason.TrapDisabled:
      return `${trapName(report)} while disabled, ${at}`;
    case DeathReason.NoEntry:
      return 'it says nowhere to be entered';
    case DeathReason.Abort:
      return 'its program gave up';
    case DeathReason.Dismantled:
      return 'it lost its CSpace, its VSpace or its frame';
    default:
      return never(reason);
  }
}

function isReason(reason: number): reason is DeathReason {
  return Object.values<number>(DeathReason).includes(reason);
}

/** Signed, because there is a high half. */
function addressOf(low: number, high: number): number {
  return (high | 0) * 2 ** 32 + low;
}

function trapName({ code, address }: DeathReport): string {
  switch (code) {
    case TrapKind.Undefined:
      return 'undefined instruction';
    case TrapKind.Protection:
      return `no page table can map ${hex(address)}`;
    default:
      return `bus error at ${hex(address)}`;
  }
}
