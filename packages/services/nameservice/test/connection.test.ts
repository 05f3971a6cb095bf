/** The service and its clients, over transports in memory. */

import { OK } from '@barreleye/core';
import type { Wait } from '@barreleye/libos';
import { MAX_LISTED_NAMES } from '@barreleye/program';
import { Err } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import { MAX_NAMES_PER_OWNER, MAX_WAITS } from '../src/index.ts';
import { type Answer, errorOf, MAX_SERVED, type Names, World } from './world.ts';

/** All there is, is gone: names, waits, threads. */
function expectNothingLeft(world: World): void {
  expect(world.run()).toEqual([]);
  expect(world.counts).toEqual([0, 0]);
}

describe('a name', () => {
  it('is looked up as the endpoint and the interface that were registered', () => {
    const world = new World();
    world.runClient(function* (names) {
      yield* world.register(names, 'echo', 11, 'echo');
      yield* world.register(names, 'time', 12, 'clock');
      expect(yield* world.lookup(names, 'time')).toEqual([12, 'clock']);
      expect(yield* world.lookup(names, 'echo')).toEqual([11, 'echo']);
      expect(yield* world.waitFor(names, 'echo')).toEqual([11, 'echo']);
    });
    expect(world.served).toEqual([OK]);
    expectNothingLeft(world);
  });

  it('is free when its owner deregisters it, and nobody else can', () => {
    const world = new World();
    const owner = world.client(function* (names) {
      yield* world.register(names, 'echo', 11);
      yield* world.register(names, 'time', 11);
      yield* names.deregister({ name: 'time' });
    });
    world.run();
    expect(world.counts).toEqual([1, 0]);
    world.runClient(function* (names) {
      expect(yield* errorOf(names.deregister({ name: 'echo' }))).toBe(Err.NAME_ERR_NOT_OWNER);
      expect(yield* errorOf(names.deregister({ name: 'time' }))).toBe(Err.NAME_ERR_UNKNOWN);
      expect(yield* errorOf(names.lookup({ name: 'time' }))).toBe(Err.NAME_ERR_UNKNOWN);
      expect(yield* world.lookup(names, 'echo')).toEqual([11, 'echo']);
    });
    owner.close();
    expectNothingLeft(world);
  });

  it('is free when its owner is gone, for everybody', () => {
    const world = new World();
    const owner = world.client((names) => world.register(names, 'echo', 11));
    world.run();
    owner.close();
    world.runClient(function* (names) {
      expect(yield* errorOf(names.lookup({ name: 'echo' }))).toBe(Err.NAME_ERR_UNKNOWN);
      yield* world.register(names, 'echo', 12);
      expect(yield* world.lookup(names, 'echo')).toEqual([12, 'echo']);
    });
    expectNothingLeft(world);
  });
});

describe('what is refused leaves nothing behind:', () => {
  const refused = (
    message: string,
    expected: number,
    step: (world: World, names: Names) => Wait<unknown>,
  ): void =>
    it(message, () => {
      const world = new World();
      world.runClient(function* (names) {
        yield* world.register(names, 'taken', 10);
        expect(yield* errorOf(step(world, names))).toBe(expected);
        expect(world.counts).toEqual([1, 0]);
        expect(yield* world.lookup(names, 'taken')).toEqual([10, 'echo']);
      });
      expectNothingLeft(world);
    });

  refused('a name that is taken', Err.NAME_ERR_EXISTS, (world, names) =>
    world.register(names, 'taken', 11),
  );
  refused('a name that is none', Err.NAME_ERR_INVALID, (world, names) =>
    world.register(names, 'a b', 11),
  );
  refused('the name of an interface that is none', Err.NAME_ERR_INVALID, (world, names) =>
    world.register(names, 'echo', 11, '\u001b[2J'),
  );
  refused('a service that nobody has', Err.MON_ERR_NO_SERVICE, (world, names) =>
    world.register(names, 'echo', MAX_SERVED + 1),
  );
  refused('a wait for what can be no name', Err.NAME_ERR_INVALID, (_, names) =>
    names.waitFor({ name: '' }),
  );
  it('more names than one owner can have', () => {
    const world = new World();
    world.runClient(function* (names) {
      for (let i = 0; i < MAX_NAMES_PER_OWNER; i++) yield* world.register(names, `n${i}`, i);
      const failure = yield* errorOf(world.register(names, 'more', 99));
      expect(failure).toBe(Err.NAME_ERR_FULL);
      expect(world.counts).toEqual([MAX_NAMES_PER_OWNER, 0]);
    });
    expectNothingLeft(world);
  });
});

describe('who waits for a name', () => {
  it('is answered when somebody registers it, like all others who wait', () => {
    const world = new World();
    const answers: Answer[] = [];
    const waiting = [0, 1, 2].map(() =>
      world.client(function* (names) {
        answers.push(yield* world.waitFor(names, 'echo'));
      }),
    );
    expect(world.run()).toContain('nameService.waitFor: the name echo');
    world.runClient(function* (names) {
      yield* world.register(names, 'other', 10);
      yield* world.register(names, 'echo', 11);
      yield* names.list({ prefix: '' });
    });
    expect(answers).toEqual(Array(3).fill([11, 'echo']));
    for (const transport of waiting) transport.close();
    expectNothingLeft(world);
  });

  it('goes on waiting when the name is free again before it has looked', () => {
    const world = new World();
    const answers: Answer[] = [];
    const waiting = world.client(function* (names) {
      answers.push(yield* world.waitFor(names, 'echo'));
    });
    world.run();
    const { directory } = world.server;
    const owner = {};
    directory.register(owner, 'echo', { iref: 1, interfaceName: 'echo', core: 1, domainId: 1 });
    directory.deregister(owner, 'echo');
    expect(world.run()).toContain('nameService.waitFor: the name echo');
    expect(answers).toEqual([]);
    world.runClient(function* (names) {
      yield* world.register(names, 'echo', 12);
      yield* names.list({ prefix: '' });
    });
    expect(answers).toEqual([[12, 'echo']]);
    waiting.close();
    expectNothingLeft(world);
  });

  it('waits no more when it is gone', () => {
    const world = new World();
    const waiting = world.client(function* (names) {
      yield* errorOf(names.waitFor({ name: 'echo' }));
    });
    world.run();
    expect(world.counts).toEqual([0, 1]);
    waiting.close();
    expectNothingLeft(world);
  });

  it('can wait for so many at once, and is heard to go even then', () => {
    const world = new World();
    const failures: number[] = [];
    const transport = world.client(function* (names) {
      for (let i = 0; i <= MAX_WAITS; i++) {
        const caller = (function* () {
          failures.push(yield* errorOf(names.waitFor({ name: `n${i}` })));
        })();
        world.loop.create('caller', caller);
      }
      yield* [];
    });
    world.run();
    expect(failures).toEqual([Err.RPC_ERR_TOO_MANY_CALLS]);
    expect(world.counts).toEqual([0, MAX_WAITS]);
    transport.close();
    expectNothingLeft(world);
  });
});

describe('a list', () => {
  it('has names, interfaces and domains in order, and goes on where it ended', () => {
    const world = new World();
    const count = MAX_LISTED_NAMES + 10;
    const owners = Array.from({ length: count }, (_, i) =>
      world.client((names) => world.register(names, `n/${1000 + i}`, i, `i${i}`)),
    );
    world.run();
    world.runClient(function* (names) {
      const first = (yield* names.list({ prefix: 'n/' })).names;
      expect(first).toHaveLength(MAX_LISTED_NAMES);
      expect(first[7]).toEqual({ name: 'n/1007', interfaceName: 'i7', core: 7, domainId: 7 });
      const after = first.at(-1)?.name ?? '';
      const rest = (yield* names.list({ prefix: 'n/', after })).names;
      const expected = Array.from({ length: count }, (_, i) => `n/${1000 + i}`);
      expect([...first, ...rest].map(({ name }) => name)).toEqual(expected);
      expect((yield* names.list({ prefix: 'm' })).names).toEqual([]);
    });
    for (const owner of owners) owner.close();
    expectNothingLeft(world);
  });
});

describe('a registration', () => {
  it('of a client that is gone before its owner is known takes no name', () => {
    const world = new World();
    const transport = world.client(function* (names) {
      const caller = errorOf(world.register(names, 'echo', 11));
      world.loop.create('caller', caller);
      yield;
      yield;
      transport.close();
    });
    world.run();
    expectNothingLeft(world);
  });
});
