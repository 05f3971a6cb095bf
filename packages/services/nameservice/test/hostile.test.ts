/** Clients that send anything at any time and vanish: nothing breaks, nothing is left behind. */

import { Prng } from '@barreleye/core';
import type { Capref, Wait, Waiter } from '@barreleye/libos';
import { NameService } from '@barreleye/program';
import { bindClient, SendResult, type Transport } from '@barreleye/rpc';
import type { MemoryTransport } from '@barreleye/rpc/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorOf, MAX_SERVED, type Names, WORDS, World } from './world.ts';

const TEXTS = ['a', 'a/b', 'a/c', 'b', 'c', '', 'a b', 'x'.repeat(64), 'ä'.repeat(32)];

/** A transport that damages one message in `mean`. */
class Tampering implements Transport {
  readonly maxWords = WORDS;
  private readonly inner: MemoryTransport;
  private readonly prng: Prng;
  private readonly mean: number;

  constructor(inner: MemoryTransport, prng: Prng, mean: number) {
    this.inner = inner;
    this.prng = prng;
    this.mean = mean;
  }

  get isDead(): boolean {
    return this.inner.isDead;
  }

  get receivedCap(): Capref | undefined {
    return this.inner.receivedCap;
  }

  trySend(words: Uint32Array, wordCount: number): SendResult {
    const { prng, mean } = this;
    let length = wordCount;
    if (prng.below(mean) === 0) words[prng.below(wordCount)] = prng.below(2 ** 32);
    if (prng.below(mean) === 0) words[prng.below(wordCount)] = prng.below(80);
    if (prng.below(mean) === 0) length = 1 + prng.below(WORDS);
    if (prng.below(mean) === 0) return SendResult.Sent; // lost
    if (prng.below(mean) === 0) this.inner.trySend(words, length, undefined);
    return this.inner.trySend(words, length, undefined);
  }

  tryReceive(into: Uint32Array): number {
    return this.inner.tryReceive(into);
  }

  whenReceivable(waiter: Waiter): void {
    this.inner.whenReceivable(waiter);
  }

  whenSendable(waiter: Waiter): void {
    this.inner.whenSendable(waiter);
  }

  get hasPeer(): boolean {
    return this.inner.hasPeer;
  }

  whenPeerGone(waiter: Waiter): void {
    this.inner.whenPeerGone(waiter);
  }

  dropCap(cap: Capref): void {
    this.inner.dropCap(cap);
  }

  close(): void {
    this.inner.close();
  }
}

/** One call, as good or bad as chance will have it. */
function* callAny(names: Names, prng: Prng): Wait<unknown> {
  const text = (): string => TEXTS[prng.below(TEXTS.length)] ?? '';
  const [name, interfaceName] = [text(), text()];
  switch (prng.below(6)) {
    case 0:
    case 1:
      return yield* names.register({ name, interfaceName, iref: prng.below(2 * MAX_SERVED) });
    case 2:
      return yield* names.deregister({ name });
    case 3:
      return yield* names.lookup({ name });
    case 4:
      return yield* names.waitFor({ name });
    default:
      return yield* names.list({ prefix: name, after: interfaceName });
  }
}

/** Some clients, all at once, for a while. */
function attack(seed: number, mean: number): World {
  const prng = new Prng(seed);
  const world = new World(prng, 3);
  const open: MemoryTransport[] = [];
  const client = function* (transport: Transport): Wait<void> {
    const names = yield* bindClient(world.loop, transport, NameService);
    for (let calls = prng.below(20); calls > 0; calls--) {
      if (prng.below(2) === 0) yield* errorOf(callAny(names, prng));
      else world.loop.create('caller', errorOf(callAny(names, prng)));
      yield;
    }
    if (prng.below(2) === 0) transport.close();
  };
  const rest = function* (): Wait<void> {
    for (let i = 0; i < 200; i++) {
      if (prng.below(80) === 0) open[prng.below(open.length)]?.close();
      yield;
    }
  };
  for (let i = 0; i < 4; i++) {
    const transport = world.connect(1 + prng.below(4));
    open.push(transport);
    const tampering = new Tampering(transport, prng, mean);
    world.loop.create('client', errorOf(client(tampering)));
  }
  world.loop.create('rest', rest());
  world.run();
  for (const transport of open) transport.close();
  return world;
}

describe('hostile clients leave nothing behind', () => {
  it.each([
    [1_000_000, 'with good messages', 61],
    [40, 'with some bad messages', 62],
    [4, 'with hardly a good message', 63],
  ])('(one damage in %i) %s (seed %i)', (mean, _, seed) => {
    const property = fc.property(fc.integer(), (number) => {
      const world = attack(number, mean);
      expect(world.run()).toEqual([]);
      expect(world.counts).toEqual([0, 0]);
      expect(world.served).toHaveLength(4);
    });
    fc.assert(property, { seed, numRuns: 400 });
  });
});
