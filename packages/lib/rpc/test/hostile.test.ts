/** The other side of a binding is hostile: whatever it sends, nobody throws, and nobody hangs. */

import { OK } from '@barreleye/core';
import { type Capref, capref, type Wait } from '@barreleye/libos';
import { Err } from '@barreleye/spec';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bindClient, type Handlers, RpcError } from '../src/index.ts';
import { Kind } from '../src/wire.ts';
import { RAW_WORDS, type RawMessage, receiveAll, recordTraffic, sendRaw } from './raw.ts';
import { Echo, type EchoMethods, echoHandlers, failureOf, Sides } from './sides.ts';

const { requests, replies } = recordTraffic();
const BIND_FRAGMENTS = requests.findIndex(({ words }) => ((words[0] ?? 0) & 15) === Kind.Call);
const BIND = requests.slice(0, BIND_FRAGMENTS);
const FRAME = capref<'Frame'>(4, 9);

/** A server that keeps every capability, and a client that can send anything. */
class Attack {
  readonly sides = new Sides({ maxWords: RAW_WORDS, depth: 64 });
  readonly kept: Capref[] = [];
  readonly sent: Capref[] = [];

  constructor() {
    const handlers: Handlers<EchoMethods> = {
      ...echoHandlers,
      grant: ({ frame }) => {
        this.kept.push(frame);
        return {};
      },
      swap: ({ frames }) => {
        this.kept.push(...frames);
        return { frames: [] };
      },
    };
    this.sides.serve(Echo, handlers);
  }

  /** Send messages one by one; what the server answers. */
  send(messages: readonly RawMessage[]): RawMessage[] {
    const answers: RawMessage[] = [];
    for (const message of messages) {
      if (sendRaw(this.sides.client, message) && message.cap) this.sent.push(message.cap);
      this.sides.loop.run();
      answers.push(...receiveAll(this.sides.client));
    }
    return answers;
  }

  /** Capabilities that were sent and are neither kept nor dropped. */
  get strayCount(): number {
    return this.sent.length - this.kept.length - this.sides.server.dropped.length;
  }
}

/** The error that a reply of one fragment carries: its lowest code. */
function errorsIn(answers: readonly RawMessage[]): unknown[] {
  return answers
    .filter(({ words }) => ((words[0] ?? 0) & 15) === Kind.Error)
    .map(({ words }) => words[2]);
}

function header(kind: number, caps: number, method: number, words: number): number {
  return (kind | (caps << 4) | (method << 8) | (words << 16)) >>> 0;
}

describe('a server answers with an error, and goes on', () => {
  it.each<[string, RawMessage[], number]>([
    ['a method that does not exist', [{ words: [header(2, 0, 99, 0), 5] }], Err.RPC_ERR_NO_METHOD],
    [
      'a call of what is not answered',
      [{ words: [header(2, 0, 4, 1), 5, 1] }],
      Err.RPC_ERR_NO_METHOD,
    ],
    ['a body that is too short', [{ words: [header(2, 0, 0, 0), 5] }], Err.RPC_ERR_MALFORMED],
    ['a body that is too long', [{ words: [header(2, 0, 0, 2), 5, 0, 0] }], Err.RPC_ERR_MALFORMED],
    [
      'a text that is longer than its body',
      [{ words: [header(2, 0, 0, 1), 5, 4000] }],
      Err.RPC_ERR_MALFORMED,
    ],
    [
      'a length of 2^32 - 1',
      [{ words: [header(2, 0, 0, 1), 5, 0xffff_ffff] }],
      Err.RPC_ERR_MALFORMED,
    ],
    ['a capability that is not there', [{ words: [header(2, 1, 1, 0), 5] }], Err.RPC_ERR_MALFORMED],
    [
      'a capability that was not announced',
      [{ words: [header(2, 0, 1, 0), 5], cap: FRAME }],
      Err.RPC_ERR_MALFORMED,
    ],
    [
      'a capability too many',
      [{ words: [header(2, 1, 0, 1), 5, 0], cap: FRAME }],
      Err.RPC_ERR_MALFORMED,
    ],
    [
      'a capability that nobody announced or wants',
      [{ words: [header(2, 0, 0, 1), 5, 0], cap: FRAME }],
      Err.RPC_ERR_MALFORMED,
    ],
    [
      'a bind to what has half of the hash',
      [
        { words: [header(1, 0, 0, 5), 5, 1, Echo.hashLow, (Echo.hashHigh ^ 1) >>> 0, 4] },
        { words: [4 * 2 ** 16, 0x6f68_6365] },
      ],
      Err.RPC_ERR_INTERFACE,
    ],
    [
      'a second bind to something else',
      [{ words: [header(1, 0, 0, 4), 5, 1, 2, 3, 0] }],
      Err.RPC_ERR_INTERFACE,
    ],
  ])('to %s', (_, messages, err) => {
    const attack = new Attack();
    attack.send(BIND);
    expect(errorsIn(attack.send(messages))).toEqual([err]);
    expect(attack.strayCount).toBe(0);
    const [answer] = attack.send([...BIND, { words: [header(2, 0, 0, 1), 6, 0] }]).slice(-1);
    expect(answer?.words).toEqual([header(4, 0, 0, 1), 6, 0]);
  });

  it('to a body longer than any it knows, without keeping it', () => {
    const attack = new Attack();
    attack.send(BIND);
    const messages: RawMessage[] = [{ words: [header(2, 0, 0, 0xffff), 5, 1, 1, 1, 1] }];
    for (let at = 4; at < 0xffff; at += 5) {
      const words = [at * 2 ** 16, 1, 1, 1, 1, 1].slice(0, 1 + Math.min(5, 0xffff - at));
      messages.push({ words });
    }
    expect(errorsIn(attack.send(messages))).toEqual([Err.RPC_ERR_MALFORMED]);
    expect(attack.sides.served).toBeUndefined();
  });

  it('to calls before a bind', () => {
    const attack = new Attack();
    const answers = attack.send([{ words: [header(2, 1, 1, 0), 5], cap: FRAME }]);
    expect(errorsIn(answers)).toEqual([Err.RPC_ERR_INTERFACE]);
    expect([attack.kept, attack.sides.server.dropped]).toEqual([[], [FRAME]]);
  });
});

describe('a server ends the binding', () => {
  const twoParts: RawMessage = { words: [header(2, 0, 0, 5), 5, 16, 1, 1, 1] };
  it.each<[string, RawMessage[]]>([
    ['an empty message', [{ words: [] }]],
    ['half a header', [{ words: [header(2, 0, 0, 0)] }]],
    ['an unknown kind', [{ words: [header(9, 0, 0, 0), 5] }]],
    ['a reply', [{ words: [header(4, 0, 0, 0), 5] }]],
    ['a fragment of nothing', [{ words: [0, 1] }]],
    ['more words than announced', [{ words: [header(2, 0, 0, 1), 5, 0, 0] }]],
    ['fragments of two messages interleaved', [twoParts, { words: [header(2, 0, 0, 1), 6, 0] }]],
    ['a fragment that was left out', [twoParts, { words: [5 * 2 ** 16, 1] }]],
    ['a fragment that came twice', [twoParts, twoParts]],
    ['a fragment with nothing in it', [twoParts, { words: [4 * 2 ** 16] }]],
    ['a capability with a broken fragment', [twoParts, { words: [9], cap: FRAME }]],
  ])('after %s', (_, messages) => {
    const attack = new Attack();
    attack.send(BIND);
    attack.send(messages);
    expect(attack.sides.served).toBe(Err.RPC_ERR_PROTOCOL);
    expect(attack.sides.client.isDead).toBe(true);
    expect(attack.strayCount).toBe(0);
  });
});

describe('a client', () => {
  /** A client with one call under way; the words `answer` are all that it gets. */
  function answered(answer: readonly RawMessage[]): { failure: unknown; dropped: Capref[] } {
    const { loop, client, server } = new Sides({ maxWords: RAW_WORDS, depth: 1000 });
    let failure: unknown;
    const body = (function* () {
      const echo = yield* bindClient(loop, client, Echo);
      failure = yield* failureOf(echo.swap({ frames: [] }));
    })();
    loop.create('client', body);
    loop.run();
    const token = receiveAll(server)[0]?.words[1] ?? 0;
    sendRaw(server, { words: [header(4, 0, 0, 0), token] });
    loop.run();
    const callToken = receiveAll(server)[0]?.words[1] ?? 0;
    for (const { words, cap } of answer) {
      sendRaw(server, { words: words.with(1, callToken), ...(cap && { cap }) });
    }
    const late = loop.run().length;
    if (late > 0) server.close();
    loop.run();
    return { failure, dropped: client.dropped };
  }

  it.each<[string, RawMessage[], number]>([
    ['a reply that is too short', [{ words: [header(4, 0, 0, 0), 0] }], Err.RPC_ERR_MALFORMED],
    [
      'an announced capability that is not there',
      [{ words: [header(4, 1, 0, 1), 0, 1] }],
      Err.RPC_ERR_MALFORMED,
    ],
    ['an error without words', [{ words: [header(5, 0, 0, 0), 0] }], Err.RPC_ERR_MALFORMED],
    [
      'an error with a capability',
      [{ words: [header(5, 1, 0, 3), 0, 1, 0, 0], cap: FRAME }],
      Err.RPC_ERR_MALFORMED,
    ],
    ['a call', [{ words: [header(2, 0, 0, 1), 0, 0] }], Err.RPC_ERR_PROTOCOL],
    ['a fragment of nothing', [{ words: [0, 1] }], Err.RPC_ERR_PROTOCOL],
  ])('fails its call after %s', (_, answer, errval) => {
    const { failure } = answered(answer);
    expect(failure).toMatchObject({ errval });
  });

  it('drops replies to nobody, and what came with them', () => {
    const { loop, client, server } = new Sides({ maxWords: RAW_WORDS, depth: 100 });
    let text = '';
    const body = (function* () {
      const echo = yield* bindClient(loop, client, Echo);
      ({ text } = yield* echo.echo({ text: '' }));
    })();
    loop.create('client', body);
    loop.run();
    const bindToken = receiveAll(server)[0]?.words[1] ?? 0;
    const bound = { words: [header(4, 0, 0, 0), bindToken] };
    for (const token of [bindToken + 1, 0xffff_ffff]) {
      sendRaw(server, { words: [header(4, 1, 0, 1), token, 1], cap: FRAME });
    }
    sendRaw(server, bound);
    loop.run();
    const token = receiveAll(server)[0]?.words[1] ?? 0;
    expect(token).not.toBe(bindToken);
    sendRaw(server, bound); // once more: an old token
    sendRaw(server, { words: [header(4, 0, 0, 2), token, 2, 0x6b6f] });
    expect(loop.run()).toEqual([]);
    expect(text).toBe('ok');
    expect(client.dropped).toEqual([FRAME, FRAME]);
  });

  it('ends, one way or another, whatever it is answered (seed 54)', () => {
    const property = fc.property(fc.array(rawMessage(replies), { maxLength: 12 }), (answer) => {
      const good = answer.map(({ words, cap }) => ({
        words: words.length < 2 ? [...words, 0, 0].slice(0, 2) : words,
        ...(cap && { cap }),
      }));
      const { failure } = answered(good);
      expect(failure).toBeInstanceOf(Error);
    });
    fc.assert(property, { seed: 54, numRuns: 500 });
  });
});

/** A message out of nothing, or one of `recorded` with a change. */
function rawMessage(recorded: readonly RawMessage[]): fc.Arbitrary<RawMessage> {
  const word = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.nat(255), fc.nat(5));
  const withCap = (words: number[], hasCap: boolean): RawMessage =>
    hasCap ? { words, cap: FRAME } : { words };
  const random = fc
    .tuple(fc.array(word, { maxLength: RAW_WORDS }), fc.boolean())
    .map(([words, hasCap]) => withCap(words, hasCap));
  const headed = fc
    .tuple(
      fc.nat(6),
      fc.nat(2),
      fc.nat(6),
      fc.nat(9),
      fc.array(word, { maxLength: 4 }),
      fc.boolean(),
    )
    .map(([kind, caps, method, count, body, hasCap]) =>
      withCap([header(kind, caps, method, count), 0, ...body], hasCap),
    );
  const changed = fc
    .tuple(fc.nat(recorded.length - 1), fc.nat(RAW_WORDS - 1), fc.nat(31), fc.boolean())
    .map(([i, at, bit, hasCap]) => {
      const { words = [] } = recorded[i] ?? {};
      return withCap(
        words.map((each, j) => (j === at ? (each ^ (1 << bit)) >>> 0 : each)),
        hasCap,
      );
    });
  return fc.oneof(random, headed, changed);
}

/** What answers a `swap` with `count` capabilities, its token left out. */
function swapReply(count: number): RawMessage[] {
  const first: RawMessage = { words: [header(4, count, 0, 1), 0, count] };
  const further: RawMessage = { words: [1 * 2 ** 16], cap: FRAME };
  if (count === 0) return [first];
  return [{ ...first, cap: FRAME }, ...Array<RawMessage>(count - 1).fill(further)];
}

/** What `step` throws, if it does; an `RpcError` is all that it may be. */
function* errorOf(step: Wait<unknown>): Wait<unknown> {
  try {
    return yield* step;
  } catch (error) {
    expect(error).toBeInstanceOf(RpcError);
    return error;
  }
}

it('a client survives any messages, and loses no capability (seed 59)', () => {
  let [keptCount, droppedCount] = [0, 0];
  const token = fc.oneof(
    fc.nat(4),
    fc.nat(4).map((place) => place + 256),
  );
  const any = rawMessage(replies).map((message) => [message]);
  const answer = fc.tuple(fc.oneof(any, fc.nat(3).map(swapReply)), fc.boolean(), token);
  const property = fc.property(
    fc.boolean(),
    fc.array(fc.array(answer, { maxLength: 10 }), { maxLength: 4 }),
    (hasDeadline, rounds) => {
      const { loop, client, server } = new Sides({ maxWords: RAW_WORDS, depth: 64 });
      const kept: Capref[] = [];
      let sentCount = 0;
      const options = hasDeadline ? { timeoutCycles: 40 } : {};
      const body = (function* () {
        const echo = yield* bindClient(loop, client, Echo, options);
        for (let i = 0; i < 4; i++) {
          const swap = (function* () {
            kept.push(...(yield* echo.swap({ frames: [] })).frames);
          })();
          loop.create('caller', errorOf(swap));
        }
      })();
      loop.create('client', errorOf(body));
      sendRaw(server, { words: [header(4, 0, 0, 0), 0] }); // the bind has the first token
      for (const round of rounds) {
        for (const [[first, ...rest], isAimed, place] of round) {
          const { words = [], cap } = first ?? {};
          const aimed = isAimed && words.length > 1 ? words.with(1, place) : words;
          for (const message of [{ words: aimed, ...(cap && { cap }) }, ...rest]) {
            if (sendRaw(server, message) && message.cap !== undefined) sentCount += 1;
          }
        }
        loop.run();
        receiveAll(server);
      }
      server.close();
      client.close(); // what has not been received
      expect(loop.run()).toEqual([]);
      expect(kept.length + client.dropped.length).toBe(sentCount);
      keptCount += kept.length;
      droppedCount += client.dropped.length;
    },
  );
  fc.assert(property, { seed: 59, numRuns: 500 });
  expect([keptCount > 0, droppedCount > 0]).toEqual([true, true]);
});

it('a server survives any messages, and loses no capability (seed 55)', () => {
  let endedCount = 0;
  const property = fc.property(
    fc.boolean(),
    fc.array(rawMessage(requests), { maxLength: 30 }),
    (isBound, messages) => {
      const attack = new Attack();
      if (isBound) attack.send(BIND);
      attack.send(messages);
      const { served, client } = attack.sides;
      if (served === undefined) client.close();
      else endedCount += 1;
      expect(attack.sides.loop.run()).toEqual([]);
      expect([OK, Err.RPC_ERR_PROTOCOL]).toContain(attack.sides.served);
      expect(attack.strayCount).toBe(0);
    },
  );
  fc.assert(property, { seed: 55, numRuns: 500 });
  expect(endedCount).toBeGreaterThan(50);
  expect(endedCount).toBeLessThan(490);
});

it('a server survives traffic of which messages are lost, doubled or changed (seed 56)', () => {
  const change = fc.record({
    kind: fc.constantFrom('lose' as const, 'double' as const, 'swap' as const, 'flip' as const),
    at: fc.nat(requests.length - 1),
    word: fc.nat(RAW_WORDS - 1),
    bit: fc.nat(31),
  });
  const property = fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
    const messages = [...requests];
    for (const { kind, at, word, bit } of changes) {
      const [message, next] = messages.slice(at, at + 2);
      if (message === undefined) continue;
      const words = message.words.map((each, i) => (i === word ? (each ^ (1 << bit)) >>> 0 : each));
      if (kind === 'lose') messages.splice(at, 1);
      else if (kind === 'double') messages.splice(at, 0, message);
      else if (kind === 'swap' && next !== undefined) messages.splice(at, 2, next, message);
      else messages[at] = { ...message, words };
    }
    const attack = new Attack();
    attack.send(messages);
    attack.sides.client.close();
    expect(attack.sides.loop.run()).toEqual([]);
    expect(attack.strayCount).toBe(0);
  });
  fc.assert(property, { seed: 56, numRuns: 500 });
});
