/** Domains and those that start, wait for and kill them: who hears what, who inherits whom. */

import { holds, type Thread, type Wait } from '@barreleye/libos';
import { type ProgramOs, program } from '@barreleye/program';
import { describe, expect, test } from 'vitest';
import {
  type Child,
  endOf,
  errorOf,
  expectNothingLeft,
  infoOf,
  kill,
  runSystem,
  start,
  TARGETS,
  type Tester,
} from '../src/index.ts';

const A_WHILE = 2_000_000;
const SMALL = { quotaBytes: 2 ** 20 };
const KILLED = { how: 'killed', value: 0, report: '' };

const sleeper = program('sleeper', function* (os) {
  for (;;) yield* os.sleep(1e9);
});

/** Ends with the number that it is given. */
const value = program('value', function* (os) {
  yield* os.sleep(Number(os.args[2] ?? 1));
  return Number(os.args[1]);
});

/** Starts a sleeper and ends. */
const parent = program('parent', function* (os) {
  return (yield* start(os, 'sleeper', SMALL)).id;
});

/** Waits for the domain that it is given, and ends with the same value. */
const friend = program('friend', function* (os) {
  const { end } = yield* os.system.wait({ domain: os.argCap(0) });
  return end.value;
});

/** Starts many and waits for none; ends with how many it still sees. */
const careless = program('careless', function* (os) {
  for (let i = 0; i < 40; i++) {
    yield* start(os, 'value', { ...SMALL, args: [`${i}`] });
    yield* os.sleep(300_000);
  }
  const { domains } = yield* os.system.list({});
  return domains.filter(({ name, state }) => name === 'value' && state === 'ended').length;
});

const others = [sleeper, value, parent, friend, careless];

/** Name a domain that somebody else has started. */
function* adopt(os: ProgramOs, id: number): Wait<Child> {
  const { domain } = yield* os.system.domainOf({ id, authority: os.argCap(1) });
  return { id, domain };
}

describe.each(TARGETS)('on $name', (target) => {
  const run = (scenario: (tester: Tester) => Wait<void>): void => {
    const main = (tester: Tester) => expectNothingLeft(tester, () => scenario(tester));
    runSystem(target, main, { others });
  };

  test('a domain can be killed once; later kills change nothing', () => {
    run(function* ({ os }) {
      const child = yield* start(os, 'sleeper', SMALL);
      yield* os.system.kill({ domain: child.domain });
      yield* os.system.kill({ domain: child.domain });
      expect((yield* infoOf(os, child))?.state).toBe('ended');
      for (const step of [os.system.suspend, os.system.resume, os.system.inspectorOf]) {
        expect(yield* errorOf(step({ domain: child.domain }))).toEqual(['SPAWN_ERR_ENDED']);
      }
      expect(yield* endOf(os, child)).toEqual(KILLED);
    });
  });

  test('a domain that has exited is not made one that was killed', () => {
    run(function* ({ os }) {
      const child = yield* start(os, 'value', { ...SMALL, args: ['5'] });
      yield* os.sleep(A_WHILE);
      expect((yield* infoOf(os, child))?.state).toBe('ended');
      expect(yield* kill(os, child)).toEqual({ how: 'exited', value: 5, report: '' });
    });
  });

  test('an end is told once; then nothing names the domain any more', () => {
    run(function* ({ os }) {
      const child = yield* start(os, 'value', { ...SMALL, args: ['5'] });
      const { domain } = child;
      yield* os.system.wait({ domain });
      expect(yield* infoOf(os, child)).toBeUndefined();
      expect(yield* errorOf(os.system.wait({ domain }))).toEqual(['RPC_ERR_CAP']);
      expect(yield* errorOf(os.system.kill({ domain }))).toEqual(['RPC_ERR_CAP']);
      expect(yield* errorOf(adopt(os, child.id))).toEqual(['SPAWN_ERR_NO_DOMAIN']);
      os.drop(domain);
    });
  });

  test('all who wait when a domain ends hear of it, whoever they are', () => {
    run(function* ({ os }) {
      const child = yield* start(os, 'value', { ...SMALL, args: ['5', '3000000'] });
      const caps = [holds<'Null'>(child.domain)];
      const friends = [];
      for (let i = 0; i < 3; i++) friends.push(yield* start(os, 'friend', { ...SMALL, caps }));
      const threads: Thread[] = [];
      for (let i = 0; i < 3; i++) {
        threads.push(os.spawnThread('waits', os.system.wait({ domain: child.domain })));
      }
      for (const thread of threads) {
        expect(yield* os.join(thread)).toEqual({ end: { how: 'exited', value: 5, report: '' } });
      }
      for (const each of friends) expect((yield* endOf(os, each)).value).toBe(5);
      os.drop(child.domain);
    });
  });

  test('who waits for a domain and is killed holds up nobody', () => {
    run(function* ({ os }) {
      const child = yield* start(os, 'sleeper', SMALL);
      const one = yield* start(os, 'friend', { ...SMALL, caps: [holds<'Null'>(child.domain)] });
      yield* os.sleep(A_WHILE);
      yield* kill(os, one);
      expect(yield* kill(os, child)).toEqual(KILLED);
    });
  });

  test('a child whose parent has ended goes on as one of init, until it is killed', () => {
    run(function* ({ os }) {
      const { value: id, how } = yield* endOf(os, yield* start(os, 'parent'));
      expect(how).toBe('exited');
      yield* os.sleep(A_WHILE);
      const orphan = yield* adopt(os, id);
      expect(yield* infoOf(os, orphan)).toMatchObject({ parent: 0, state: 'running' });
      const waiting = os.spawnThread('waits', os.system.wait({ domain: orphan.domain }));
      yield* os.sleep(A_WHILE);
      yield* os.system.kill({ domain: orphan.domain });
      expect(yield* infoOf(os, orphan)).toBeUndefined();
      expect(yield* os.join(waiting)).toEqual({ end: KILLED });
      os.drop(orphan.domain);
    });
  });

  test('ends that nobody asks for are kept, the newest of them, until the parent ends', () => {
    run(function* ({ os, init }) {
      const { value: seen } = yield* endOf(os, yield* start(os, 'careless'));
      expect(seen).toBe(32);
      expect([...init.domains.all()].filter(({ name }) => name === 'value')).toEqual([]);
    });
  });

  test('numbers of domains grow', () => {
    run(function* ({ os }) {
      const ids: number[] = [];
      for (let i = 0; i < 5; i++) {
        const child = yield* start(os, i % 2 === 0 ? 'sleeper' : 'value', SMALL);
        ids.push(child.id);
        yield* kill(os, child);
      }
      expect(ids).toEqual(ids.toSorted((a, b) => a - b));
      expect(new Set(ids).size).toBe(ids.length);
    });
  });

  test('nobody ends init, or a domain by what is none', () => {
    run(function* ({ os, init }) {
      const root = yield* adopt(os, init.domains.root.id);
      for (const step of [os.system.kill, os.system.suspend, os.system.resume]) {
        expect(yield* errorOf(step({ domain: root.domain }))).toEqual(['INIT_ERR_NOT_YOURS']);
        const wrong = { domain: os.argCap<'Domain'>(0) };
        expect(yield* errorOf(step(wrong))).toEqual(['SPAWN_ERR_NO_DOMAIN']);
      }
      os.drop(root.domain);
      const authority = os.argCap<'ProcessManager'>(0);
      const { id } = root;
      expect(yield* errorOf(os.system.domainOf({ id, authority }))).toEqual(['INIT_ERR_NOT_YOURS']);
    });
  });
});
