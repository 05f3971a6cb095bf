import { Access, DeathReason, MonitorMessage, packReportHead, TrapKind } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { type DeathReport, describeDeath, parseDeathReport } from './death-report.ts';

const { Death } = MonitorMessage;

/** The words of a report as the CPU driver sends them. */
function wordsOf(reason: number, access: number, code: number): number[] {
  return [packReportHead(Death, reason, access, 3), 17, code, 0x5004, 1, 0x40_0000, 0];
}

describe('a death report', () => {
  it('says who died, of what and where', () => {
    const words = wordsOf(DeathReason.PageFaultDisabled, Access.Write, 6);
    expect(parseDeathReport(words)).toEqual({
      domainId: 17,
      domainCore: 3,
      reason: DeathReason.PageFaultDisabled,
      address: 0x1_0000_5004,
      pc: 0x40_0000,
      access: Access.Write,
      code: 6,
    });
  });

  it('has addresses of the upper half as they are', () => {
    const words = wordsOf(DeathReason.PageFault, Access.Read, 0).with(4, 0xffff_ffff);
    expect(parseDeathReport(words)?.address).toBe(0x5004 - 2 ** 32);
  });

  it('is no other message', () => {
    const words = wordsOf(DeathReason.PageFault, Access.Read, 0);
    expect(parseDeathReport([])).toBeUndefined();
    expect(parseDeathReport(words.slice(1))).toBeUndefined();
    expect(parseDeathReport([...words, 0])).toBeUndefined();
    expect(parseDeathReport(words.with(0, packReportHead(2, 1, 0, 0)))).toBeUndefined();
    expect(parseDeathReport(words.with(0, packReportHead(Death, 0, 0, 0)))).toBeUndefined();
    expect(parseDeathReport(words.with(0, packReportHead(Death, 99, 0, 0)))).toBeUndefined();
  });

  it.each([
    [DeathReason.PageFault, 'page fault: execute at 0x100005004, the program counter at 0x400000'],
    [
      DeathReason.PageFaultDisabled,
      'page fault while disabled: execute at 0x100005004, the program counter at 0x400000',
    ],
    [DeathReason.Trap, 'undefined instruction, the program counter at 0x400000'],
    [
      DeathReason.TrapDisabled,
      'undefined instruction while disabled, the program counter at 0x400000',
    ],
    [DeathReason.NoEntry, 'it says nowhere to be entered'],
    [DeathReason.Abort, 'its program gave up'],
    [DeathReason.Dismantled, 'it lost its CSpace, its VSpace or its frame'],
  ])('%i is described in words', (reason, text) => {
    const report = parseDeathReport(wordsOf(reason, Access.Execute, TrapKind.Undefined));
    expect(report && describeDeath(report)).toBe(text);
  });

  it('tells traps apart', () => {
    const describeCode = (code: number): string =>
      describeDeath(parseDeathReport(wordsOf(DeathReason.Trap, 0, code)) as DeathReport);
    expect(describeCode(TrapKind.BusError)).toContain('bus error at 0x100005004');
    expect(describeCode(TrapKind.Protection)).toContain('no page table can map 0x100005004');
  });
});
