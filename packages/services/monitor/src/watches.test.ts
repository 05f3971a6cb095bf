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

  /** What a thread that waits for the end comes to know. */
  ask(core: number, id: number, asker: object, isOver = never): { answer?: unknown } {
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
    this.loop.run();
    return asked;
  }
}

describe('the end of a domain elsewhere', () => {
  it('is told to its owner, whether it comes before or after the question', () => {
    const { watches, loop, ask } = bound();
    const [owner, ends] = [{}, [] as string[]];
    watches.add(1, 7, owner, () => ends.push('7'));
    watches.add(1, 8, owner, () => ends.push('8'));
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

  it('is no concern of an asker who has ended', () => {
    const { watches, loop, ask } = bound();
    const state = { isOver: false };
    const [owner, asker] = [{}, {}];
    watches.add(1, 7, owner, () => undefined);
    const asked = ask(1, 7, asker, () => state.isOver);
    state.isOver = true;
    watches.ownerEnded(asker);
    loop.run();
    expect(asked.answer).toEqual(fail(Err.SPAWN_ERR_ENDED));
    expect(watches.count).toBe(1);
  });

  it('is forgotten with its owner, and the oldest of many that nobody asks for', () => {
    const { watches, ask } = bound();
    const owner = {};
    for (let id = 1; id <= 40; id++) watches.add(1, id, owner, () => undefined);
    for (let id = 1; id <= 39; id++) watches.ended(1, id, exited(id));
    expect(watches.count).toBe(33);
    expect(ask(1, 39, owner).answer).toEqual(succeed(exited(39)));
    watches.ownerEnded(owner);
    expect(watches.count).toBe(1);
    watches.ended(1, 40, exited(0));
    expect(watches.count).toBe(0);
  });

  it('comes for all domains of a core that has stopped', () => {
    const { watches, ask } = bound();
    const owner = {};
    watches.add(1, 7, owner, () => undefined);
    watches.add(2, 7, owner, () => undefined);
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
