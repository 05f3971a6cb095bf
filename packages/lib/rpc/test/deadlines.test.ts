/** Calls with a deadline: what is given up costs its caller nothing, and disturbs no other call. */

import { OK, Prng } from '@barreleye/core';
import { type Capref, capref, type Wait } from '@barreleye/libos';
import { Err } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bindClient,
  type Client,
  call,
  cap,
  defineInterface,
  gift,
  type Handlers,
  oneway,
  Parking,
  serve,
  string,
} from '../src/index.ts';
import { Loop, memoryPair } from '../src/testing.ts';
import { type RawMessage, receiveAll, sendRaw } from './raw.ts';
import { Echo, type EchoMethods, echoHandlers, failureOf, Sides } from './sides.ts';

const FRAME = capref<'Frame'>(4, 9);
const TIMEOUT = { errval: Err.RPC_ERR_TIMEOUT };
const bind = { timeoutCycles: 1000 };

/** Let `cycles` cycles pass. */
function* sleep(loop: Loop, cycles: number): Wait<void> {
  const clock = new Parking(loop, 'the clock');
  loop.setAlarm(cycles, () => clock.ready());
  clock.park();
  yield;
}

/** A server that takes `cycles` for a call. */
function slowSides(cycles: () => number, wishes = {}): Sides {
  const sides = new Sides({ bind, ...wishes });
  const handlers: Handlers<EchoMethods> = {
    ...echoHandlers,
    *echo({ text }) {
      yield* sleep(sides.loop, cycles());
      return { text };
    },
    *alloc() {
      yield* sleep(sides.loop, cycles());
      return { frame: FRAME };
    },
  };
  sides.serve(Echo, handlers);
  return sides;
}

/** The token of the last message that came to the server. */
function lastToken(messages: readonly RawMessage[]): number {
  return messages.at(-1)?.words[1] ?? -1;
}

describe('a call with a deadline', () => {
  it('is answered like any other when there is time', () => {
    slowSides(() => 100).run(function* (echo) {
      expect(yield* echo.echo({ text: 'soon' })).toEqual({ text: 'soon' });
      expect(yield* echo.alloc({})).toEqual({ frame: FRAME });
      yield* echo.tick({ seq: 1 });
      const failure = yield* failureOf(echo.echo({ text: 'x'.repeat(5000) }));
      expect(failure).toMatchObject({ errval: Err.RPC_ERR_ARGUMENT });
    });
  });

  it('fails when it is late, and the calls after it get their own replies', () => {
    const delays = [3000, 1, 3000, 1];
    const sides = slowSides(() => delays.shift() ?? 1);
    sides.run(function* (echo) {
      expect(yield* failureOf(echo.echo({ text: 'late' }))).toMatchObject(TIMEOUT);
      expect(yield* echo.echo({ text: 'next' })).toEqual({ text: 'next' });
      expect(yield* failureOf(echo.alloc({}))).toMatchObject(TIMEOUT);
      expect(yield* echo.echo({ text: 'last' })).toEqual({ text: 'last' });
      yield* sleep(sides.loop, 5000);
      expect(sides.client.dropped).toEqual([FRAME]); // of the reply that came too late
    });
    expect(sides.served).toBe(OK);
  });

  it('leaves nobody waiting when the binding ends before the reply', () => {
    const sides = slowSides(() => 5000);
    sides.run(function* (echo) {
      expect(yield* failureOf(echo.echo({ text: '' }))).toMatchObject(TIMEOUT);
    });
    expect(sides.served).toBe(OK);
  });

  it('may be the bind itself', () => {
    const sides = new Sides();
    let failure: unknown;
    const body = (function* () {
      failure = yield* failureOf(bindClient(sides.loop, sides.client, Echo, bind));
    })();
    sides.loop.create('client', body);
    expect(sides.loop.run()).toEqual(['a call: a reply']);
    expect(failure).toMatchObject(TIMEOUT);
    sides.client.close();
    expect(sides.loop.run()).toEqual([]);
  });

  it('keeps its token until the reply has come', () => {
    const { loop, client, server } = new Sides({ depth: 2000 });
    const results: unknown[] = [];
    let tokens: number[] = [];
    const body = (function* () {
      const echo = yield* bindClient(loop, client, Echo, { timeoutCycles: 500 });
      for (let i = 0; i < 257; i++) {
        results.push(yield* failureOf(echo.echo({ text: '' })));
        tokens.push(lastToken(receiveAll(server)));
      }
      for (const token of tokens.slice(0, 256)) {
        sendRaw(server, { words: [0x0001_0004, token, 0] });
      }
      yield* sleep(loop, 100_000);
      const seen = new Set(tokens);
      tokens = [];
      results.push(yield* failureOf(echo.echo({ text: '' })));
      const token = lastToken(receiveAll(server));
      expect(seen.has(token)).toBe(false);
      client.close();
    })();
    loop.create('client', body);
    loop.create('binder', answerBind(loop, server));
    expect(loop.run()).toEqual([]);
    const expected = [...Array(256).fill(TIMEOUT), { errval: Err.RPC_ERR_TOO_MANY_CALLS }];
    expect(results).toMatchObject([...expected, TIMEOUT]);
  });

  it('that was not sent in time is not sent later, and what it gives away is deleted', () => {
    const Give = defineInterface('give', {
      give: call({ frame: gift('Frame') }, {}),
      copy: call({ frame: cap('Frame') }, {}),
      say: oneway({ text: string(4096) }),
    });
    const { loop, client, server } = new Sides({ depth: 1 });
    const failures: unknown[] = [];
    const body = (function* () {
      const there = yield* bindClient(loop, client, Give, bind);
      failures.push(yield* failureOf(there.say({ text: 'x'.repeat(100) }))); // holds the turn
      failures.push(yield* failureOf(there.give({ frame: FRAME })));
      failures.push(yield* failureOf(there.copy({ frame: FRAME })));
      failures.push(yield* failureOf(there.say({ text: '' })));
    })();
    loop.create('client', body);
    loop.create('binder', answerBind(loop, server));
    loop.run();
    expect(failures).toMatchObject([TIMEOUT, TIMEOUT, TIMEOUT, TIMEOUT]);
    const kinds: number[] = [];
    for (let got = receiveAll(server); got.length > 0; got = receiveAll(server)) {
      kinds.push(...got.map(({ words }) => (words[0] ?? 0) & 15));
      loop.run();
    }
    expect(kinds).toEqual([3, 0, 0, 0]); // one message that is not answered, to its end
    expect(client.dropped).toEqual([FRAME]);
    client.close();
    expect(loop.run()).toEqual([]);
  });

  it('that was sent in part goes on without the capabilities that it no longer owns', () => {
    const { loop, client, server } = new Sides({ depth: 1 });
    const frames = [1, 2, 3].map((slot) => capref<'Frame'>(4, slot));
    let failure: unknown;
    const body = (function* () {
      const echo = yield* bindClient(loop, client, Echo, bind);
      failure = yield* failureOf(echo.swap({ frames }));
    })();
    loop.create('client', body);
    loop.create('binder', answerBind(loop, server));
    loop.run();
    expect(failure).toMatchObject(TIMEOUT);
    const caps: (Capref | undefined)[] = [];
    for (let got = receiveAll(server); got.length > 0; got = receiveAll(server)) {
      caps.push(...got.map((message) => message.cap));
      loop.run();
    }
    expect(caps).toEqual([frames[0], undefined, undefined]);
    client.close();
    expect(loop.run()).toEqual([]);
  });

  it('loses no capability and mixes up no replies, whoever is late (seed 57)', () => {
    let lateCount = 0;
    const property = fc.property(
      fc.nat(),
      fc.integer({ min: 1, max: 3 }),
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 }),
      (seed, depth, delays) => {
        lateCount += runLate(new Prng(seed), depth, delays);
      },
    );
    fc.assert(property, { seed: 57, numRuns: 200 });
    expect(lateCount).toBeGreaterThan(100);
  });
});

/** Answer the first message as a bind. */
function* answerBind(loop: Loop, server: Sides['server']): Wait<void> {
  for (;;) {
    const messages = receiveAll(server);
    const [first] = messages;
    if (first !== undefined) {
      // A bind is longer than one message: let it end.
      for (let i = 0; i < 20; i++) {
        receiveAll(server);
        yield;
      }
      sendRaw(server, { words: [4, first.words[1] ?? 0] });
      return;
    }
    yield* sleep(loop, 1);
  }
}

const Numbered = defineInterface('numbered', {
  give: call({ text: string(64) }, { text: string(64), frame: gift('Frame') }),
});

/** Calls at once, each with a reply after its own delay and a capability; how many were late. */
function runLate(prng: Prng, depth: number, delays: readonly number[]): number {
  const loop = new Loop(prng);
  const [client, server] = memoryPair(6, depth);
  const kept: Capref[] = [];
  let [givenCount, lateCount, doneCount] = [0, 0, 0];
  const handlers: Handlers<typeof Numbered.methods> = {
    *give({ text }) {
      yield* sleep(loop, delays[Number(text)] ?? 1);
      givenCount += 1;
      return { text, frame: FRAME };
    },
  };
  function* callOnce(there: Client<typeof Numbered.methods>, i: number): Wait<void> {
    try {
      const { text, frame } = yield* there.give({ text: String(i) });
      expect(text).toBe(String(i));
      kept.push(frame);
    } catch (error) {
      expect(error).toMatchObject(TIMEOUT);
      lateCount += 1;
    }
    doneCount += 1;
  }
  const main = function* (): Wait<void> {
    const there = yield* bindClient(loop, client, Numbered, { timeoutCycles: 200 });
    for (const i of delays.keys()) loop.create(`caller ${i}`, callOnce(there, i));
    while (doneCount < delays.length) yield* sleep(loop, 10);
    yield* sleep(loop, 10_000); // what is late arrives
    client.close();
  };
  loop.create('client', main());
  loop.create('server', serve(loop, server, Numbered, handlers));
  expect(loop.run()).toEqual([]);
  expect(server.dropped).toHaveLength(givenCount); // its own, of gifts
  expect(client.dropped.length + kept.length).toBe(givenCount);
  return lateCount;
}
