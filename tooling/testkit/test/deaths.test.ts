/** Domains that die, as whoever watches over them hears of it. */

import {
  type Capref,
  capIdentify,
  capRetype,
  capRevoke,
  type DeathReport,
  KernelCap,
  type Os,
  parseDeathReport,
  program,
  Semaphore,
  TASK_KERNEL,
  TASK_PROCESS_MANAGER,
  unwrap,
  type Wait,
} from '@barreleye/libos';
import { spawnProgram } from '@barreleye/spawn';
import { DeathReason, DispatcherFrame } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkEveryEntry, moduleCap, runFirstDomain, spawnerOf, TARGETS } from '../src/index.ts';

/** From this one its spawner takes the CSpace. */
const HOMELESS = 'homeless';

/** Every way to die that there is. */
const MORTALS: readonly (readonly [string, DeathReason, (os: Os) => Wait<unknown>])[] = [
  [
    'thrower',
    DeathReason.Abort,
    function* (os) {
      yield* os.sleep(1000);
      throw new Error('enough');
    },
  ],
  ['toucher', DeathReason.Abort, (os) => os.store32(0x3800_0000, 1)],
  ['waiter', DeathReason.Abort, (os) => new Semaphore(os, 'for ever', 0).take()],
  [
    'disabled',
    DeathReason.PageFaultDisabled,
    function* ({ sys }) {
      sys.cpu.store32(sys.frame + DispatcherFrame.disabled.offset, 1);
      sys.cpu.load32(0x3800_0000);
      yield;
    },
  ],
  [HOMELESS, DeathReason.Dismantled, (os) => os.sleep(1e12)],
];

/** A new domain, and its number. */
function makeDomain({ sys, slots }: Os): { cap: Capref<'Domain'>; id: number } {
  const range = { offset: 0, objectBytes: 0, count: 1 };
  const slot = unwrap(slots.alloc());
  const cap = unwrap(capRetype(sys, slot, TASK_PROCESS_MANAGER, 'Domain', range));
  return { cap, id: unwrap(capIdentify(sys, cap)).arg1 };
}

describe.each(TARGETS)('on $name', (target) => {
  test('whoever has registered hears of every death, once, with its domain and its reason', () => {
    const others = MORTALS.map(([name, , main]) => program(name, main));
    const reports = new Map<number, DeathReport[]>();
    const names = new Map<number, string>();
    const { machine } = runFirstDomain(
      target,
      function* (domain) {
        const { os } = domain;
        const monitor = os.createEndpoint(12); // room for one report at a time
        os.check(new KernelCap(os.sys, TASK_KERNEL).register(monitor.cap));
        for (const [i, [name]] of MORTALS.entries()) {
          const { cap, id } = makeDomain(os);
          names.set(id, name);
          const request = { name, image: moduleCap(i), domain: cap };
          const { rootCn } = unwrap(spawnProgram(spawnerOf(domain), request));
          if (name === HOMELESS) os.check(capRevoke(os.sys, rootCn));
        }
        yield* os.sleep(100_000); // they all die before anybody listens
        for (let i = 0; i < MORTALS.length; i++) {
          const message = yield* os.receive(monitor.buffer);
          const report = parseDeathReport(message.words);
          if (report === undefined) throw new Error('what the kernel says makes sense');
          reports.set(report.domainId, [...(reports.get(report.domainId) ?? []), report]);
        }
        yield* os.sleep(100_000);
        expect(monitor.buffer.tryReceive()).toBeUndefined();
      },
      { ramBytes: 32 * 2 ** 20, wrapDriver: checkEveryEntry, others },
    );
    const seen = [...reports].map(([id, all]) => [names.get(id), all.map(({ reason }) => reason)]);
    expect(seen.sort()).toEqual(MORTALS.map(([name, reason]) => [name, [reason]]).sort());
    const broken = machine.programFailures.map(({ program: name, error }) => `${name}: ${error}`);
    expect(broken.sort()).toEqual([
      expect.stringMatching(/^thrower: .*enough/),
      expect.stringMatching(/^toucher: .*page fault/),
      expect.stringMatching(/^waiter: DeadlockError: .*\n.*semaphore for ever/),
    ]);
  });
});
