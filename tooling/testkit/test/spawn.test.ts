/** More than one domain: made, at work beside each other, dying of a fault, taken apart. */

import { OK } from '@barreleye/core';
import { type Os, program, unwrap, type Wait } from '@barreleye/libos';
import { type Spawner, spawnProgram } from '@barreleye/spawn';
import { errNames } from '@barreleye/spec';
import { describe, expect, test } from 'vitest';
import { checkEveryEntry, moduleCap, runFirstDomain, spawnerOf, TARGETS } from '../src/index.ts';

const MIB = 2 ** 20;
const wishes = { ramBytes: 32 * MIB, wrapDriver: checkEveryEntry };

/** Count to `count` with others in between. */
function* talk(os: Os, log: string[], name: string, count: number): Wait<void> {
  for (let i = 0; i < count; i++) {
    log.push(`${name}${i}`);
    yield* os.sleep(20_000);
  }
}

describe.each(TARGETS)('on $name', (target) => {
  test('two domains work beside the first, and all their memory comes back', () => {
    const log: string[] = [];
    const others = ['a', 'b'].map((name) => program(name, (os) => talk(os, log, name, 3)));
    runFirstDomain(
      target,
      function* (domain) {
        const { os, memory } = domain;
        const spawner = spawnerOf(domain);
        // The first spawn leaves page tables and slots for the next ones.
        unwrap(spawnProgram(spawner, { name: 'a', image: moduleCap(0) })).kill();
        const [free, slots] = [memory.mm.freeBytes(), os.slots.freeCount];
        log.length = 0;
        const domains = others.map(({ name }, i) =>
          unwrap(spawnProgram(spawner, { name, image: moduleCap(i) })),
        );
        yield* os.sleep(200_000);
        for (const each of domains) expect(each.kill()).toBe(OK);
        expect([memory.mm.freeBytes(), os.slots.freeCount]).toEqual([free, slots]);
      },
      { ...wishes, others },
    );
    expect([...log].sort()).toEqual(['a0', 'a1', 'a2', 'b0', 'b1', 'b2']);
    expect(log.indexOf('b0'), 'they take turns').toBeLessThan(log.indexOf('a2'));
  });

  test('27: a domain that touches what is not there dies with a report, the others go on', () => {
    const log: string[] = [];
    const bad = program('bad', function* (os) {
      log.push('bad');
      yield* os.store32(0x3800_0000, 1);
      log.push('never');
    });
    const good = program('good', (os) => talk(os, log, 'good', 3));
    const { machine } = runFirstDomain(
      target,
      function* (domain) {
        const { os, memory } = domain;
        const spawner = spawnerOf(domain);
        const free = memory.mm.freeBytes();
        const domains = ['bad', 'good'].map((name, i) =>
          unwrap(spawnProgram(spawner, { name, image: moduleCap(i) })),
        );
        yield* os.sleep(200_000);
        for (const each of domains) expect(each.kill()).toBe(OK);
        log.push(memory.mm.freeBytes() < free ? 'page tables stay' : 'all is back');
      },
      { ...wishes, others: [bad, good] },
    );
    expect(log.filter((line) => !line.startsWith('good'))).toEqual([
      'bad',
      expect.stringMatching(/stay|back/),
    ]);
    expect(log).toContain('good2');
    const reports = machine.programFailures.map(({ program: name, error }) => `${name}: ${error}`);
    expect(reports).toEqual([
      expect.stringMatching(/^bad: .*write at 0x38000000 \(code 0x[0-9a-f]+\)/),
    ]);
  });

  test('a spawn that fails at any step leaves nothing', () => {
    const child = program('child', (os) => talk(os, [], 'c', 1));
    runFirstDomain(
      target,
      function* (domain) {
        const { os, memory } = domain;
        const spawner = spawnerOf(domain);
        unwrap(spawnProgram(spawner, { name: 'first', image: moduleCap(0) })).kill();
        let failures = 0;
        for (let step = 1; ; step++) {
          const [free, slots] = [memory.mm.freeBytes(), os.slots.freeCount];
          let calls = 0;
          const fails = (): boolean => {
            calls += 1;
            return calls === step;
          };
          const { source } = spawner;
          const failing: Spawner = {
            ...spawner,
            source: {
              allocRam: (bytes) => (fails() ? source.allocRam(2 ** 45) : source.allocRam(bytes)),
              freeRam: (block) => source.freeRam(block),
              allocFrame: (bytes) => source.allocFrame(bytes),
              freeFrame: (frame) => source.freeFrame(frame),
              allocSlot: () => (fails() ? (source.allocRam(-1) as never) : source.allocSlot()),
              freeSlot: (slot) => source.freeSlot(slot),
            },
          };
          const made = spawnProgram(failing, { name: 'child', image: moduleCap(0) });
          if (made.ok) {
            expect(made.value.kill()).toBe(OK);
            expect(failures).toBeGreaterThan(16);
            break;
          }
          failures += 1;
          expect(errNames(made.err)[0]).toBe('LIB_ERR_SPAWN');
          expect([memory.mm.freeBytes(), os.slots.freeCount], `step ${step}`).toEqual([
            free,
            slots,
          ]);
        }
        yield* os.preempt();
      },
      { ramBytes: 32 * MIB, others: [child] },
    );
  });
});
