/** Userlevel acceptance test 32: what two domains have in registers survives their conversation. */

import { type Arch, DispatcherFrame, LmpFlag, Syscall, type UserCpu } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { areaWords } from './memory.ts';
import { MESSAGE_TARGETS, Parties, sendWords } from './parties.ts';
import { type Answer, systemCall } from './user.ts';

const ROUNDS = 1000;

/** Words of the register file that no system call uses. */
function keptWords({ registers, argWords, resultWords, pc }: Arch): number[] {
  const all = Array.from({ length: 2 * registers.length }, (_, i) => i);
  const used = [...argWords, ...resultWords];
  return all.filter((i) => i >> 1 !== pc && !used.includes(i));
}

/** A domain with a thread that keeps values in its registers. */
class Party {
  private readonly parties: Parties;
  private readonly frame: Parties['user']['frame'];
  private readonly kept: readonly number[];
  private readonly first: number;

  constructor(parties: Parties, frame: Parties['user']['frame'], first: number) {
    this.parties = parties;
    this.frame = frame;
    this.kept = keptWords(parties.bench.arch);
    this.first = first;
    this.save(this.kept.map((i) => first + i));
  }

  /** Go on where the thread was, see that its values are there, and make a system call. */
  call(words: readonly number[], isDisabled: boolean): Answer {
    const { bench } = this.parties;
    return bench.act((cpu) => {
      const area = areaWords(bench, this.frame, 'enabledArea');
      for (const i of this.kept) cpu.regs[i] = area[i] ?? 0;
      this.expectValues(cpu);
      // Who yields is disabled, and has saved its thread itself.
      if (isDisabled) this.save(this.kept.map((i) => cpu.regs[i] ?? 0));
      DispatcherFrame.disabled.set(bench.mem, this.frame, isDisabled ? 1 : 0);
      return systemCall(cpu, words);
    });
  }

  private expectValues(cpu: UserCpu): void {
    const { first, kept } = this;
    if (kept.every((i) => cpu.regs[i] === first + i)) return;
    expect(kept.map((i) => cpu.regs[i])).toEqual(kept.map((i) => first + i));
  }

  private save(words: readonly number[]): void {
    const { mem } = this.parties.bench;
    const area = DispatcherFrame.enabledArea;
    for (const [at, i] of this.kept.entries()) area.set(mem, this.frame, i, words[at] ?? 0);
  }
}

describe.each(MESSAGE_TARGETS)('registers on $name', (target) => {
  test('are kept over 1,000 rounds of yield, message and reply (acceptance test 32)', () => {
    const parties = new Parties(target);
    const { user, other, otherRing, userRing, toOther, back } = parties;
    const client = new Party(parties, user.frame, 0x1337_0000);
    const server = new Party(parties, other.frame, 0x0042_0000);
    const left: Answer = { names: ['left'], value: 0 };
    const flags = LmpFlag.Sync;
    for (let i = 0; i < ROUNDS; i++) {
      expect(client.call([Syscall.Yield, toOther], true)).toEqual(left);
      expect(server.call([Syscall.Yield, back], true)).toEqual(left);
      expect(client.call(sendWords(toOther, [i], { flags }), false)).toEqual(left);
      expect(otherRing.receive()?.words).toEqual([i]);
      expect(server.call(sendWords(back, [i + 1], { flags }), false)).toEqual(left);
      expect(userRing.receive()?.words).toEqual([i + 1]);
    }
    expect(parties.bench.current).toBe(user.dcb);
  });
});
