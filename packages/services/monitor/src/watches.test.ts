/** The ends of domains elsewhere: told once, kept until asked for, forgotten in the end. */

import { type Errval, fail, type Result, succeed } from '@barreleye/core';
import { OsError, type Wait } from '@barreleye/libos';
import type { DomainEnd } from '@barreleye/program';
import type { Client } from '@barreleye/rpc';
import { Loop } from '@barreleye/rpc/testing';
import { Err } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import type { IntermonMethods } from './intermon.ts';
import { Watches } from './watches.ts';

const exited = (value: number): DomainEnd => ({ how: 'exited', value, report: '' });
const never = (): boolean => false;

class World {
  readonly loop = new Loop();
  /** Domains that have been asked about, at whatever core. */
  readonly asked: number[] = [];
  refusal: Errval | undefined;
  readonly watches: Watches;

  constructor() {
    const world = this;
    const monitor: Partial<Client<IntermonMethods>> = {
      *watch({ id }) {
        yield;
        world.asked.push(id);
        if (world.refusal !== undefined) throw new OsError(world.refusal);
        return {};
      },
    };
    this.watches = new Watches(
      this.loop,
      (core): Result<Client<IntermonMethods>> =>
        core < 4 ? succeed(monitor as Client<IntermonMethods>) : fail(Err.MON_ERR_NO_CORE),
    );
  }

  /** `owner` starts a domain; `meanwhile` happens before that is answered. */
  start(
    core: number,
    id: number,
    owner: object,
    onEnd: () => void = () => undefined,
    meanwhile: () => void = () => undefined,
    isOver = never,
  ): void {
    const { watches, loop } = this;
    function* spawn(): Wait<number> {
      yield;
      meanwhile();
      return id;
    }
    loop.create('starts', watches.start({ core, owner, isOver, onEnd }, spawn()));
    loop.run();
  }

  /** What a thread that waits for the end comes to know. */
  ask(core: number, id: number, asker: object, isOver = never): { answer?: unknown } {
    const asked = this.beginToAsk(core, id, asker, isOver);
    this.loop.run();
    return asked;
  }

  beginToAsk(core: number, id: number, asker: object, isOver = never): { answer?: unknown } {
    const { watches } = this;
    const asked: { answer?: unknown } = {};
    const body = (function* (): Wait<void> {
      try {
        asked.answer = yield* watches.awaitEnd(core, id, asker, isOver);
      } catch (error) {
        if (!(error instanceof OsError)) throw error;
        asked.answer = error.errval;
      }
    })();
    this.loop.create('asks', body);
    return asked;
  }
}

describe('the end of a domain elsewhere', () => {
  it('is told to its owner, whether it comes before or after the question', () => {
    const { world, watches, loop, ask } = bound();
    const [owner, ends] = [{}, [] as string[]];
    world.start(1, 7, owner, () => ends.push('7'));
    world.start(1, 8, owner, () => ends.push('8'));
    const early = ask(1, 7, owner);
    expect(early.answer).toBeUndefined();
    watches.ended(1, 7, exited(3));
    watches.ended(1, 8, exited(4));
    watches.ended(1, 8, exited(5));
    loop.run();
    expect(early.answer).toEqual(succeed(exited(3)));
    expect(ask(1, 8, owner).answer).toEqual(succeed(exited(4)));
    expect(ends).toEqual(['7', '8']);
    expect(watches.count).toBe(0);
  });

  it('is asked for there when nobody here has started it', () => {
    const { watches, loop, ask, asked } = bound();
    const [one, other] = [ask(2, 9, {}), ask(2, 9, {})];
    expect(asked).toEqual([9]);
    watches.ended(3, 9, exited(1)); // another core, another domain
    watches.ended(2, 9, exited(6));
    loop.run();
    expect([one.answer, other.answer]).toEqual([succeed(exited(6)), succeed(exited(6))]);
    expect(watches.count).toBe(0);
  });

  it('of a domain that there is not is an error', () => {
    const { watches, ask, world } = bound();
    expect(ask(9, 1, {}).answer).toBe(Err.MON_ERR_NO_CORE);
    world.refusal = Err.SPAWN_ERR_NO_DOMAIN;
    expect(ask(2, 1, {}).answer).toBe(Err.SPAWN_ERR_NO_DOMAIN);
    expect(watches.count).toBe(0);
  });

  it('of a domain that there is not is an error for all who ask at once', () => {
    const { watches, loop, world } = bound();
    world.refusal = Err.SPAWN_ERR_NO_DOMAIN;
    const all = [world.beginToAsk(2, 1, {}), world.beginToAsk(2, 1, {})];
    loop.run();
    expect(all).toEqual(Array(2).fill({ answer: Err.SPAWN_ERR_NO_DOMAIN }));
    expect(watches.count).toBe(0);
  });

  it('is told if it comes before the answer to the start', () => {
    const { world, watches, ask } = bound();
    const [owner, ends] = [{}, [] as string[]];
    const meanwhile = (): void => {
      watches.ended(1, 6, exited(2)); // nobody here has started that one
      watches.ended(1, 7, exited(3));
    };
    world.start(1, 7, owner, () => ends.push('7'), meanwhile);
    expect(ends).toEqual(['7']);
    expect(ask(1, 7, owner).answer).toEqual(succeed(exited(3)));
    expect(watches.count).toBe(0);
    world.start(1, 6, owner, () => ends.push('6'));
    expect([ends, watches.count]).toEqual([['7'], 1]);
  });

  it('is not kept for who has ended before the start was answered', () => {
    const { world, watches } = bound();
    const ends: string[] = [];
    world.start(
      1,
      7,
      {},
      () => ends.push('7'),
      undefined,
      () => true,
    );
    expect(watches.count).toBe(1);
    watches.ended(1, 7, exited(3));
    expect([ends, watches.count]).toEqual([['7'], 0]);
  });

  it('is no concern of an asker who has ended', () => {
    const { world, watches, loop, ask } = bound();
    const state = { isOver: false };
    const [owner, asker] = [{}, {}];
    world.start(1, 7, owner);
    const asked = ask(1, 7, asker, () => state.isOver);
    state.isOver = true;
    watches.ownerEnded(asker);
    loop.run();
    expect(asked.answer).toEqual(fail(Err.SPAWN_ERR_ENDED));
    expect(watches.count).toBe(1);
  });

  it('is forgotten with its owner, and the oldest of many that nobody asks for', () => {
    const { world, watches, ask } = bound();
    const owner = {};
    for (let id = 1; id <= 40; id++) world.start(1, id, owner);
    for (let id = 1; id <= 39; id++) watches.ended(1, id, exited(id));
    expect(watches.count).toBe(33);
    expect(ask(1, 39, owner).answer).toEqual(succeed(exited(39)));
    watches.ownerEnded(owner);
    expect(watches.count).toBe(1);
    watches.ended(1, 40, exited(0));
    expect(watches.count).toBe(0);
  });

  it('comes for all domains of a core that has stopped', () => {
    const { world, watches, ask } = bound();
    const owner = {};
    world.start(1, 7, owner);
    world.start(2, 7, owner);
    watches.coreEnded(1);
    const { answer } = ask(1, 7, owner);
    expect(answer).toMatchObject({ ok: true, value: { how: 'faulted' } });
    expect(watches.count).toBe(1);
  });
});

function bound() {
  const world = new World();
  const { watches, loop, asked } = world;
  return { world, watches, loop, asked, ask: world.ask.bind(world) };
}
