/** Names by hand, and under random histories against a model. */

import { OK, type Result } from '@barreleye/core';
import { Err, type ErrName, errNames } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RegistryModel } from './registry.model.ts';
import { MAX_NAMES_PER_OWNER, Registry } from './registry.ts';

const ANN = 'ann';
const BOB = 'bob';

/** Names of those who have registered: each one stands for its own length. */
function registryOf(...names: string[]): Registry<string, number> {
  const registry = new Registry<string, number>();
  for (const name of names) expect(registry.register(ANN, name, name.length)).toBe(OK);
  return registry;
}

function listed(
  registry: Registry<string, number>,
  ...listing: Parameters<Registry<string, number>['list']>
) {
  return registry.list(...listing).map(({ name }) => name);
}

describe('a name', () => {
  it('is had by the first who registers it, until it is deregistered', () => {
    const registry = registryOf('echo');
    expect(registry.lookup('echo')).toEqual({
      ok: true,
      value: { name: 'echo', owner: ANN, entry: 4 },
    });
    expect(registry.register(BOB, 'echo', 7)).toBe(Err.NAME_ERR_EXISTS);
    expect(registry.register(ANN, 'echo', 7)).toBe(Err.NAME_ERR_EXISTS);
    expect(registry.deregister(BOB, 'echo')).toEqual({ ok: false, err: Err.NAME_ERR_NOT_OWNER });
    expect(registry.deregister(ANN, 'echo')).toEqual({ ok: true, value: 4 });
    expect(registry.deregister(ANN, 'echo')).toEqual({ ok: false, err: Err.NAME_ERR_UNKNOWN });
    expect(registry.lookup('echo')).toEqual({ ok: false, err: Err.NAME_ERR_UNKNOWN });
    expect(registry.register(BOB, 'echo', 7)).toBe(OK);
    expect(registry.count).toBe(1);
  });

  it.each(['', 'a b', 'a\n', 'ä', 'a*', 'x'.repeat(65), '\u0000'])('is not %j', (name) => {
    const registry = registryOf();
    expect(registry.register(ANN, name, 1)).toBe(Err.NAME_ERR_INVALID);
    expect(registry.waitFor(name, () => undefined)).toBe(Err.NAME_ERR_INVALID);
    expect(registry.lookup(name)).toEqual({ ok: false, err: Err.NAME_ERR_UNKNOWN });
    expect([registry.count, registry.awaitedCount]).toEqual([0, 0]);
  });

  it.each(['a', 'A/b-c_d.9', '/', 'x'.repeat(64)])('may be %j', (name) => {
    expect(registryOf(name).count).toBe(1);
  });
});

describe('an owner', () => {
  it('has only so many names at a time', () => {
    const names = Array.from({ length: MAX_NAMES_PER_OWNER }, (_, i) => `n${i}`);
    const registry = registryOf(...names);
    expect(registry.register(ANN, 'more', 1)).toBe(Err.NAME_ERR_FULL);
    expect(registry.register(BOB, 'more', 1)).toBe(OK);
    registry.deregister(ANN, 'n5');
    expect(registry.register(ANN, 'n5', 1)).toBe(OK);
    expect(registry.register(ANN, 'even-more', 1)).toBe(Err.NAME_ERR_FULL);
  });

  it('takes its names along, and nobody else loses one', () => {
    const registry = registryOf('c', 'a', 'bb');
    registry.register(BOB, 'b', 9);
    expect(registry.dropOwner(ANN)).toEqual([1, 2, 1]);
    expect(listed(registry)).toEqual(['b']);
    expect(registry.dropOwner(ANN)).toEqual([]);
  });
});

describe('a list', () => {
  it('has the names that begin with a prefix, in the order of their bytes', () => {
    const registry = registryOf('net/udp', 'net', 'Z', 'net/arp', 'netz', 'a', 'net.x', 'ne');
    expect(listed(registry)).toEqual([
      'Z',
      'a',
      'ne',
      'net',
      'net.x',
      'net/arp',
      'net/udp',
      'netz',
    ]);
    expect(listed(registry, { prefix: 'net/' })).toEqual(['net/arp', 'net/udp']);
    expect(listed(registry, { prefix: 'net' })).toHaveLength(5);
    expect(listed(registry, { prefix: 'no' })).toEqual([]);
    expect(listed(registry, { prefix: 'zzz' })).toEqual([]);
  });

  it('goes on behind a name, which may be gone', () => {
    const registry = registryOf('a1', 'a2', 'a3', 'b1');
    expect(listed(registry, { maxCount: 2 })).toEqual(['a1', 'a2']);
    expect(listed(registry, { maxCount: 2, after: 'a2' })).toEqual(['a3', 'b1']);
    expect(listed(registry, { prefix: 'a', after: 'a2' })).toEqual(['a3']);
    expect(listed(registry, { prefix: 'a', after: 'a2x' })).toEqual(['a3']);
    expect(listed(registry, { prefix: 'b', after: 'a' })).toEqual(['b1']);
    expect(listed(registry, { prefix: 'a', after: 'b' })).toEqual([]);
    expect(listed(registry, { maxCount: 0 })).toEqual([]);
  });
});

describe('who waits for a name', () => {
  it('is told once what it stands for, at once if somebody has it', () => {
    const registry = registryOf('echo');
    const told: number[] = [];
    const found = (entry: number): void => void told.push(entry);
    registry.waitFor('echo', found);
    expect(told).toEqual([4]);
    registry.waitFor('clock', found);
    expect([told, registry.awaitedCount]).toEqual([[4], 1]);
    registry.register(BOB, 'clock', 5);
    expect([told, registry.awaitedCount]).toEqual([[4, 5], 0]);
    registry.deregister(BOB, 'clock');
    registry.register(BOB, 'clock', 6);
    expect(told).toEqual([4, 5]);
  });

  it('is not told any more after it has said so', () => {
    const registry = registryOf();
    const told: string[] = [];
    const [first, other] = ['first', 'other'].map((who) => () => void told.push(who));
    if (first === undefined || other === undefined) throw new Error('two of them');
    registry.waitFor('echo', first);
    registry.waitFor('echo', other);
    registry.cancelWait('echo', first);
    registry.cancelWait('clock', other);
    registry.register(ANN, 'echo', 1);
    expect(told).toEqual(['other']);
    registry.waitFor('clock', first);
    registry.cancelWait('clock', first);
    expect(registry.awaitedCount).toBe(0);
  });

  it('goes on waiting when an owner goes', () => {
    const registry = registryOf('echo');
    let told = 0;
    registry.dropOwner(ANN);
    registry.waitFor('echo', (entry) => {
      told = entry;
    });
    registry.dropOwner(ANN);
    registry.register(BOB, 'echo', 8);
    expect(told).toBe(8);
  });
});

const owners = fc.nat(3);
const names = fc.oneof(
  fc.stringMatching(/^[ab/]{1,3}$/),
  fc.constantFrom('', 'a b', 'x'.repeat(64), 'x'.repeat(65)),
);
const steps = fc.oneof(
  {
    arbitrary: fc.record({ kind: fc.constant('register'), owner: owners, name: names }),
    weight: 5,
  },
  {
    arbitrary: fc.record({ kind: fc.constant('deregister'), owner: owners, name: names }),
    weight: 2,
  },
  fc.record({ kind: fc.constant('drop'), owner: owners, name: names }),
  fc.record({ kind: fc.constant('wait'), owner: owners, name: names }),
  fc.record({ kind: fc.constant('cancel'), owner: owners, name: names }),
  fc.record({ kind: fc.constant('list'), owner: owners, name: names }),
);

describe('under random histories', () => {
  it('a registry does as its model (seed 77)', () => {
    const property = fc.property(
      fc.array(steps, { maxLength: 80 }),
      fc.integer({ min: 1, max: 9 }),
      (history, maxNames) => {
        const registry = new Registry<number, number>(maxNames);
        const model = new RegistryModel(maxNames);
        const told: string[] = [];
        const founds = new Map<string, (entry: number) => void>();
        for (const [entry, { kind, owner, name }] of history.entries()) {
          if (kind === 'register') {
            const err = registry.register(owner, name, entry);
            expect(nameOf(err)).toBe(model.register(owner, name, entry));
          } else if (kind === 'deregister') {
            expect(answerOf(registry.deregister(owner, name))).toBe(model.deregister(owner, name));
          } else if (kind === 'drop') {
            expect(registry.dropOwner(owner)).toEqual(model.dropOwner(owner));
          } else if (kind === 'wait') {
            if (model.waits.some((wait) => wait.waiter === owner && wait.name === name)) continue;
            const found = (value: number): void => void told.push(`${owner}: ${value}`);
            founds.set(`${owner} ${name}`, found);
            expect(nameOf(registry.waitFor(name, found))).toBe(model.waitFor(owner, name));
          } else if (kind === 'cancel') {
            const found = founds.get(`${owner} ${name}`);
            if (found !== undefined) registry.cancelWait(name, found);
            model.cancelWait(owner, name);
          } else {
            const prefix = name.slice(0, 1);
            const expected = model.lines.filter(
              (line) => line.name.startsWith(prefix) && line.name > name,
            );
            expect(registry.list({ prefix, after: name, maxCount: 3 })).toEqual(
              expected.slice(0, 3),
            );
          }
          expect(registry.list()).toEqual(model.lines);
          expect(registry.awaitedCount).toBe(new Set(model.waits.map((wait) => wait.name)).size);
          expect(told).toEqual(model.told);
          for (const line of model.lines)
            expect(registry.lookup(line.name)).toEqual({ ok: true, value: line });
        }
      },
    );
    fc.assert(property, { seed: 77, numRuns: 500 });
  });
});

function nameOf(err: number): ErrName | 'OK' {
  return (errNames(err as never)[0] as ErrName | undefined) ?? 'OK';
}

function answerOf<T>(result: Result<T>): T | ErrName | 'OK' {
  return result.ok ? result.value : nameOf(result.err);
}
