/** Whole calls between a client and a server, over a transport in memory. */

import { errPush, OK, Prng } from '@barreleye/core';
import { capref, OsError, type Wait } from '@barreleye/libos';
import { Err, errNames } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  bindClient,
  call,
  defineInterface,
  type Handlers,
  oneway,
  Parking,
  RpcError,
  serve,
  string,
  u8,
  u32,
} from '../src/index.ts';
import { Loop, memoryPair } from '../src/testing.ts';
import { Echo, type EchoMethods, echoHandlers, failureOf, Sides } from './sides.ts';

const FRAMES = Array.from({ length: 15 }, (_, slot) => capref<'Frame'>(4, slot));
const [FRAME = capref<'Frame'>(4, 0)] = FRAMES;

/** What some handlers wait for in vain. */
const NEVER = { label: 'a word', holder: undefined };

function sidesWith(handlers: Partial<Handlers<EchoMethods>>, wishes = {}): Sides {
  const sides = new Sides(wishes);
  sides.serve(Echo, { ...echoHandlers, ...handlers });
  return sides;
}

describe('a call', () => {
  it.each([4, 5, 9, 10, 64])(
    'carries text, capabilities and lists of them in messages of %i words',
    (maxWords) => {
      const got: unknown[] = [];
      const handlers: Partial<Handlers<EchoMethods>> = {
        grant(args) {
          got.push(args);
          return {};
        },
      };
      const sides = sidesWith(handlers, { maxWords, depth: 1 });
      const text = 'zwölf Boxkämpfer'.repeat(100);
      sides.run(function* (echo) {
        expect(yield* echo.echo({ text })).toEqual({ text });
        expect(yield* echo.echo({ text: '' })).toEqual({ text: '' });
        expect(yield* echo.grant({ frame: FRAME })).toEqual({});
        expect(yield* echo.swap({ frames: FRAMES })).toEqual({ frames: FRAMES.toReversed() });
        expect(yield* echo.swap({ frames: [] })).toEqual({ frames: [] });
      });
      expect(got).toEqual([{ frame: FRAME }]);
      expect(sides.served).toBe(OK);
      expect([...sides.client.dropped, ...sides.server.dropped]).toEqual([]);
    },
  );

  it('that is not answered arrives in its place among the others', () => {
    const heard: unknown[] = [];
    const sides = sidesWith({
      tick: ({ seq }) => void heard.push(seq),
      echo({ text }) {
        heard.push(text);
        return { text };
      },
    });
    sides.run(function* (echo) {
      yield* echo.tick({ seq: 1 });
      yield* echo.tick({ seq: 2 });
      yield* echo.echo({ text: 'between' });
      yield* echo.tick({ seq: 3 }); // on its way when the binding is closed
    });
    expect(heard).toEqual([1, 2, 'between', 3]);
  });

  it('with a value out of range is not sent', () => {
    const sides = sidesWith({});
    sides.run(function* (echo) {
      const failure = yield* failureOf(echo.echo({ text: 'x'.repeat(4097) }));
      expect(failure).toBeInstanceOf(RpcError);
      expect(failure).toMatchObject({ errval: Err.RPC_ERR_ARGUMENT });
      expect(yield* echo.echo({ text: 'still there' })).toEqual({ text: 'still there' });
    });
  });

  it('whose reply is out of range fails, and says whose fault it is', () => {
    const sides = sidesWith({ echo: ({ text }) => ({ text: text.repeat(2) }) });
    sides.run(function* (echo) {
      const failure = yield* failureOf(echo.echo({ text: 'x'.repeat(4096) }));
      const errval = errPush(Err.RPC_ERR_ARGUMENT, Err.RPC_ERR_REMOTE);
      expect(failure).toMatchObject({ errval, remoteMessage: 'in the reply' });
    });
  });

  it('gives a gift away: the sender of it drops its own', () => {
    const sides = sidesWith({ alloc: () => ({ frame: FRAME }) });
    sides.run(function* (echo) {
      expect(yield* echo.alloc({})).toEqual({ frame: FRAME });
    });
    expect(sides.server.dropped).toEqual([FRAME]);
    expect(sides.client.dropped).toEqual([]);
  });
});

describe('several calls at once', () => {
  /** `count` threads, each with one call; the texts in the order in which they were answered. */
  function* callAtOnce(sides: Sides, calls: readonly Wait<{ text: string }>[]): Wait<string[]> {
    const done: string[] = [];
    for (const each of calls) {
      const body = (function* () {
        done.push((yield* each).text);
      })();
      sides.loop.create('caller', body);
    }
    while (done.length < calls.length) yield;
    return done;
  }

  it('are answered in the order in which their handlers end', () => {
    const waiting = new Map<string, object>();
    const sides = sidesWith({
      *echo({ text }) {
        waiting.set(text, sides.loop.running);
        sides.loop.block(NEVER);
        yield;
        return { text: `${text}!` };
      },
      tick({ seq }) {
        const thread = waiting.get(String(seq));
        if (thread !== undefined) sides.loop.wake(thread);
      },
    });
    const order: string[] = [];
    sides.run(function* (echo) {
      for (const text of ['1', '2', '3']) {
        const body = (function* () {
          order.push((yield* echo.echo({ text })).text);
        })();
        sides.loop.create(`caller ${text}`, body);
      }
      while (waiting.size < 3) yield;
      for (const seq of [2, 3, 1]) {
        yield* echo.tick({ seq });
        while (order.length < [2, 3, 1].indexOf(seq) + 1) yield;
      }
    });
    expect(order).toEqual(['2!', '3!', '1!']);
  });

  it('get each its own reply under any schedule (seed 53)', () => {
    const property = fc.property(
      fc.nat(),
      fc.integer({ min: 4, max: 12 }),
      fc.integer({ min: 1, max: 3 }),
      fc.array(fc.nat(120), { minLength: 1, maxLength: 12 }),
      (seed, maxWords, depth, lengths) => {
        const prng = new Prng(seed);
        const handlers: Partial<Handlers<EchoMethods>> = {
          *echo({ text }) {
            for (let i = prng.below(4); i > 0; i--) yield;
            return { text: `${text}.` };
          },
        };
        const sides = sidesWith(handlers, { maxWords, depth, prng });
        sides.run(function* (echo) {
          let doneCount = 0;
          for (const [i, length] of lengths.entries()) {
            const text = `${i}:`.padEnd(length, 'x');
            const body = (function* () {
              expect((yield* echo.echo({ text })).text).toBe(`${text}.`);
              doneCount += 1;
            })();
            sides.loop.create(`caller ${i}`, body);
          }
          while (doneCount < lengths.length) yield;
        });
      },
    );
    fc.assert(property, { seed: 53, numRuns: 60 });
  });

  it('are as many as the table has places', () => {
    const never: Partial<Handlers<EchoMethods>> = {
      *echo({ text }) {
        sides.loop.block(NEVER);
        yield;
        return { text };
      },
    };
    const sides = sidesWith(never);
    let failure: unknown;
    sides.loop.create(
      'client',
      (function* () {
        const echo = yield* bindClient(sides.loop, sides.client, Echo);
        for (let i = 0; i < 256; i++) {
          sides.loop.create('caller', failureOf(echo.echo({ text: '' })));
        }
        yield;
        failure = yield* failureOf(echo.echo({ text: '' }));
      })(),
    );
    sides.loop.run();
    expect(failure).toMatchObject({ errval: Err.RPC_ERR_TOO_MANY_CALLS });
  });

  it('that may wait are served at most as many at once as the server wants', () => {
    let active = 0;
    let most = 0;
    const handlers: Partial<Handlers<EchoMethods>> = {
      *echo({ text }) {
        active += 1;
        most = Math.max(most, active);
        for (let i = 0; i < 5; i++) yield;
        active -= 1;
        return { text };
      },
    };
    const sides = sidesWith(handlers, { options: { maxActive: 3 } });
    sides.run(function* (echo) {
      const calls = Array.from({ length: 10 }, () => echo.echo({ text: 'a' }));
      yield* callAtOnce(sides, calls);
    });
    expect(most).toBe(3);
  });
});

describe('an error of a handler', () => {
  it.each([
    ['an exception', new Error('no such file'), Err.RPC_ERR_HANDLER, 'no such file'],
    ['a thrown text', 'what?', Err.RPC_ERR_HANDLER, 'what?'],
    ['a system error', new OsError(Err.MM_ERR_NOT_FOUND), Err.MM_ERR_NOT_FOUND, ''],
  ])('travels: %s', (_, thrown, code, remoteMessage) => {
    const heard: unknown[] = [];
    const options = { onHandlerError: (name: string, error: unknown) => heard.push(name, error) };
    const handlers: Partial<Handlers<EchoMethods>> = {
      echo() {
        throw thrown;
      },
      *alloc() {
        yield;
        throw thrown;
      },
    };
    const sides = sidesWith(handlers, { options });
    sides.run(function* (echo) {
      const expected = { errval: errPush(code, Err.RPC_ERR_REMOTE), remoteMessage };
      expect(yield* failureOf(echo.echo({ text: '' }))).toMatchObject(expected);
      expect(yield* failureOf(echo.alloc({}))).toMatchObject(expected);
      expect(yield* echo.grant({ frame: FRAME })).toEqual({});
    });
    expect(heard).toEqual(['echo', thrown, 'alloc', thrown]);
  });

  it('reads as a sentence', () => {
    const error = new RpcError(errPush(Err.RPC_ERR_HANDLER, Err.RPC_ERR_REMOTE), 'no such file');
    expect(errNames(error.errval)).toEqual(['RPC_ERR_REMOTE', 'RPC_ERR_HANDLER']);
    expect(error.message).toMatch(/^the other side did not serve the call .* no such file$/);
  });

  it('says at most 256 bytes, whole characters', () => {
    const handlers: Partial<Handlers<EchoMethods>> = {
      echo() {
        throw new Error(`x${'ö'.repeat(200)}`);
      },
    };
    sidesWith(handlers).run(function* (echo) {
      const failure = yield* failureOf(echo.echo({ text: '' }));
      expect(failure).toMatchObject({ remoteMessage: `x${'ö'.repeat(127)}` });
    });
  });

  it('of a method that is not answered is heard by the server alone', () => {
    const heard: unknown[] = [];
    const handlers: Partial<Handlers<EchoMethods>> = {
      tick() {
        throw new Error('tock');
      },
    };
    const options = { onHandlerError: (name: string) => heard.push(name) };
    sidesWith(handlers, { options }).run(function* (echo) {
      yield* echo.tick({ seq: 1 });
      expect(yield* echo.echo({ text: 'fine' })).toEqual({ text: 'fine' });
    });
    expect(heard).toEqual(['tick']);
  });

  it('that returns what is not declared is an error of the call', () => {
    const handlers = { echo: () => ({}) } as unknown as Partial<Handlers<EchoMethods>>;
    sidesWith(handlers).run(function* (echo) {
      const failure = yield* failureOf(echo.echo({ text: '' }));
      expect(failure).toMatchObject({ errval: errPush(Err.RPC_ERR_HANDLER, Err.RPC_ERR_REMOTE) });
    });
  });
});

describe('a binding', () => {
  const other = defineInterface('echo', {
    ...Echo.methods,
    tick: oneway({ seq: u8 }),
  });

  it('is refused by a server of another interface', () => {
    const sides = new Sides();
    sides.serve(other, echoHandlers);
    let failure: unknown;
    const body = (function* () {
      failure = yield* failureOf(bindClient(sides.loop, sides.client, Echo));
    })();
    sides.loop.create('client', body);
    sides.loop.run();
    const errval = errPush(Err.RPC_ERR_INTERFACE, Err.RPC_ERR_REMOTE);
    expect(failure).toMatchObject({ errval, remoteMessage: 'the server speaks echo' });
  });

  it.each(['client', 'server'] as const)('ends all calls when the %s side closes', (side) => {
    const never: Partial<Handlers<EchoMethods>> = {
      *echo({ text }) {
        sides.loop.block(NEVER);
        yield;
        return { text };
      },
    };
    const sides = sidesWith(never);
    const failures: unknown[] = [];
    const caller = function* (step: Wait<unknown>): Wait<void> {
      failures.push(yield* failureOf(step));
    };
    const body = (function* () {
      const echo = yield* bindClient(sides.loop, sides.client, Echo);
      for (let i = 0; i < 3; i++) sides.loop.create('caller', caller(echo.echo({ text: '' })));
      for (let i = 0; i < 30; i++) yield;
      sides[side].close();
      failures.push(yield* failureOf(echo.tick({ seq: 1 })));
      failures.push(yield* failureOf(echo.echo({ text: '' })));
    })();
    sides.loop.create('client', body);
    const blocked = sides.loop.run();
    expect(blocked.filter((name) => /^(client|caller)/.test(name))).toEqual([]);
    expect(failures.map((failure) => (failure as RpcError).errval)).toEqual(
      Array(5).fill(Err.RPC_ERR_CLOSED),
    );
  });

  it('closes the side of a client that is idle when the server goes', () => {
    const sides = sidesWith({});
    const close = vi.spyOn(sides.client, 'close');
    const body = (function* () {
      const echo = yield* bindClient(sides.loop, sides.client, Echo);
      yield* echo.echo({ text: 'before' });
      expect(close).not.toHaveBeenCalled();
      sides.server.close();
      expect(close).toHaveBeenCalledTimes(1);
      const failure = (yield* failureOf(echo.echo({ text: 'after' }))) as RpcError;
      expect(failure.errval).toBe(Err.RPC_ERR_CLOSED);
    })();
    sides.loop.create('client', body);
    expect(sides.loop.run()).toEqual([]);
    expect(body.next().done).toBe(true);
  });

  it('ends senders that wait for room, and for their turn', () => {
    const handlers: Partial<Handlers<EchoMethods>> = {
      *echo({ text }) {
        sides.loop.block(NEVER);
        yield;
        return { text };
      },
    };
    const sides = sidesWith(handlers, { depth: 1, options: { maxActive: 1 } });
    const failures: unknown[] = [];
    const body = (function* () {
      const echo = yield* bindClient(sides.loop, sides.client, Echo);
      for (let i = 0; i < 5; i++) {
        const caller = (function* () {
          failures.push(yield* failureOf(echo.echo({ text: '' })));
        })();
        sides.loop.create('caller', caller);
      }
    })();
    sides.loop.create('client', body);
    expect(sides.loop.run().toSorted()).toEqual([
      'caller: a reply',
      'caller: a reply',
      'caller: room to send',
      'caller: the turn to send',
      'caller: the turn to send',
      'echo.echo: a word',
      'server: the end of a handler',
    ]);
    sides.server.close();
    expect(sides.loop.run()).toHaveLength(2);
    expect(failures).toMatchObject(Array(5).fill({ errval: Err.RPC_ERR_CLOSED }));
  });

  it('tells that it has ended while handlers still wait, so that they can be called off', () => {
    let endCount = 0;
    let word: Parking | undefined;
    const onEnd = (): void => {
      endCount += 1;
      word?.ready();
    };
    const handlers: Partial<Handlers<EchoMethods>> = {
      *echo({ text }) {
        word = new Parking(sides.loop, 'a word');
        word.park();
        yield;
        return { text };
      },
    };
    const sides = sidesWith(handlers, { options: { onEnd } });
    const body = (function* () {
      const echo = yield* bindClient(sides.loop, sides.client, Echo);
      yield* echo.echo({ text: '' });
    })();
    sides.loop.create('client', failureOf(body));
    expect(sides.loop.run()).toContain('echo.echo: a word');
    expect([endCount, sides.served]).toEqual([0, undefined]);
    sides.client.close();
    expect(sides.loop.run()).toEqual([]);
    expect([endCount, sides.served]).toEqual([1, OK]);
  });

  it('hears that the client is gone while as many handlers wait as may', () => {
    const words: Parking[] = [];
    const onEnd = (): void => {
      for (const word of words) word.ready();
    };
    const handlers: Partial<Handlers<EchoMethods>> = {
      *echo({ text }) {
        const word = new Parking(sides.loop, 'a word');
        words.push(word);
        word.park();
        yield;
        return { text };
      },
    };
    const sides = sidesWith(handlers, { options: { onEnd, maxActive: 2 } });
    sides.loop.create(
      'client',
      (function* () {
        const echo = yield* bindClient(sides.loop, sides.client, Echo);
        for (let i = 0; i < 3; i++) sides.loop.create('caller', failureOf(echo.echo({ text: '' })));
      })(),
    );
    expect(sides.loop.run()).toContain('server: the end of a handler');
    sides.client.close();
    expect(sides.loop.run()).toEqual([]);
    expect([sides.served, words.length]).toEqual([OK, 2]);
  });

  it('is identified by the FNV-1a hash of its name and all that was declared', () => {
    const hashes = [
      Echo,
      other,
      defineInterface('echos', Echo.methods),
      defineInterface('echo', { a: call({ x: u32 }, {}) }),
      defineInterface('echo', { a: call({ y: u32 }, {}) }),
      defineInterface('echo', { a: call({}, { x: u32 }) }),
      defineInterface('echo', { a: oneway({ x: u32 }) }),
      defineInterface('echo', { a: call({ x: string(4) }, {}) }),
      defineInterface('echo', { a: call({ x: string(5) }, {}) }),
    ].map(({ hashLow, hashHigh }) => `${hashHigh} ${hashLow}`);
    expect(new Set(hashes).size).toBe(hashes.length);
    const small = defineInterface('a', { b: oneway({ c: u8 }) });
    expect(small.shape).toBe('a{b(c:u8)}');
    expect([small.hashHigh, small.hashLow]).toEqual([2140649019, 2392338245]);
  });
});

describe('a client', () => {
  it('closes its side when the other has gone right behind its last reply', () => {
    const loop = new Loop();
    const [here, there] = memoryPair(16, 4);
    const state = { isLeaving: false };
    const send = there.trySend.bind(there);
    there.trySend = (...message) => {
      const result = send(...message);
      if (state.isLeaving) there.close();
      return result;
    };
    const close = vi.spyOn(here, 'close');
    loop.create('server', serve(loop, there, Echo, echoHandlers));
    const texts: string[] = [];
    const body = (function* (): Wait<void> {
      const client = yield* bindClient(loop, here, Echo);
      state.isLeaving = true;
      texts.push((yield* client.echo({ text: 'bye' })).text);
    })();
    loop.create('client', body);
    loop.run();
    expect([texts, close.mock.calls.length]).toEqual([['bye'], 1]);
  });
});
