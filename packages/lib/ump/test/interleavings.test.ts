/** Both ends of a small ring in every possible interleaving: no message and no wake-up is lost. */

import { UmpHead, umpRingBytes } from '@barreleye/spec';
import { describe, expect, it } from 'vitest';
import {
  ENDED,
  NOTHING,
  UmpEnd,
  type UmpMode,
  UmpReceiver,
  UmpSender,
  umpChannelBytes,
  type Words,
} from '../src/index.ts';
import { type Bells, explore, type Outcome, type Script } from './explorer.ts';

interface Scenario {
  readonly slotCount: number;
  readonly messageCount: number;
  readonly mode?: UmpMode;
  /** What each side gets as its memory, instead of what it should get. */
  readonly spoil?: (words: Words) => Words;
  /** Whether the receiver looks again before it sleeps. */
  readonly looksAgain?: boolean;
}

/** A sender that sleeps when the ring is full, and a receiver that sleeps when it is empty. */
function exploreRing(scenario: Scenario): Outcome {
  const { slotCount, messageCount, mode, spoil = (words) => words, looksAgain = true } = scenario;
  let received: number[] = [];
  const send: Script = (memory, bells) => {
    const sender = new UmpSender(spoil(memory), 0, {
      slotCount,
      mode,
      ringDoorbell: () => bells.ring(),
    });
    const message = new Uint32Array(14);
    for (let i = 1; i <= messageCount; i++) {
      message[0] = i;
      while (!sender.trySend(message, 1, i === messageCount, -i)) {
        sender.lieDown();
        if (!sender.hasRoom()) bells.sleep();
        sender.getUp();
      }
    }
  };
  const receive: Script = (memory, bells) => {
    received = [];
    const receiver = new UmpReceiver(spoil(memory), 0, {
      slotCount,
      mode,
      ringDoorbell: () => bells.ring(),
    });
    const into = new Uint32Array(14);
    while (received.length < messageCount) {
      const wordCount = receiver.tryReceive(into);
      if (wordCount !== NOTHING) {
        received.push(into[0] === -receiver.note && wordCount === 1 ? into[0] : -1);
        if (received.at(-1) !== received.length) throw new Error(`received ${received}`);
        continue;
      }
      receiver.lieDown();
      if (!looksAgain || !receiver.hasMessage()) bells.sleep();
      receiver.getUp();
    }
  };
  const memory = new Array<number>(umpRingBytes(slotCount) / 4).fill(0);
  return explore([send, receive], memory, () => {
    if (received.length !== messageCount) throw new Error(`received ${received}`);
  });
}

describe('in every interleaving of a sender and a receiver that both sleep', () => {
  it.each<Scenario>([
    { slotCount: 1, messageCount: 3 },
    { slotCount: 2, messageCount: 3 },
    { slotCount: 3, messageCount: 3 },
    { slotCount: 2, messageCount: 3, mode: 'bulk' },
    { slotCount: 8, messageCount: 3, mode: 'bulk' },
  ])('all messages arrive, once and in order: %j', { timeout: 300_000 }, (scenario) => {
    const { stateCount, failure } = exploreRing(scenario);
    expect(failure).toBeUndefined();
    expect(stateCount).toBeGreaterThan(500);
  });
});

describe('what the exploration would find', () => {
  it('a receiver that does not look again before it sleeps', () => {
    const { failure } = exploreRing({ slotCount: 2, messageCount: 1, looksAgain: false });
    expect(failure).toContain('nobody can go on');
  });

  it('a control word that is not stored last', () => {
    const spoil = (words: Words): Words => ({
      isGone: false,
      load: (index) => words.load(index),
      store: (index, value) => words.store(index, value),
      loadMany: (index, into, count) => words.loadMany(index, into, count),
      storeMany: (index, from, count) => words.storeMany(index, from, count),
      loadAcquire: (index) => words.loadAcquire(index),
      storeRelease: (index, value) =>
        index >= UmpHead.$bytes / 4 ? words.store(index, value) : words.storeRelease(index, value),
    });
    const { failure } = exploreRing({ slotCount: 2, messageCount: 1, spoil });
    expect(failure).toBeDefined();
  });
});

/** A client that sends and closes, and a server that answers until the client has closed. */
function exploreChannel(slotCount: number, messageCount: number): Outcome {
  const length = umpChannelBytes(slotCount) / 4;
  let answers: number[] = [];
  let heard: number[] = [];
  const take = (end: UmpEnd, bells: Bells, into: Uint32Array): number => {
    for (;;) {
      if (end.receiver.tryReceive(into) !== NOTHING) return into[0] ?? 0;
      if (end.isPeerClosed()) return end.receiver.tryReceive(into) === NOTHING ? ENDED : into[0]!;
      if (end.lieDown(true, false)) bells.sleep();
      end.getUp();
    }
  };
  const put = (end: UmpEnd, bells: Bells, message: Uint32Array): void => {
    while (!end.sender.trySend(message, 1) && !end.isPeerClosed()) {
      if (end.lieDown(false, true)) bells.sleep();
      end.getUp();
    }
  };
  const client: Script = (words, bells) => {
    const end = new UmpEnd(words, 0, 'client', { slotCount, ringDoorbell: () => bells.ring() });
    const message = new Uint32Array(14);
    answers = [];
    for (let i = 1; i <= messageCount; i++) {
      message[0] = i;
      put(end, bells, message);
      answers.push(take(end, bells, message));
    }
    end.close();
  };
  const server: Script = (words, bells) => {
    const end = new UmpEnd(words, 0, 'server', { slotCount, ringDoorbell: () => bells.ring() });
    const message = new Uint32Array(14);
    heard = [];
    for (let n = take(end, bells, message); n !== ENDED; n = take(end, bells, message)) {
      heard.push(n);
      message[0] = n + 100;
      put(end, bells, message);
    }
  };
  return explore([client, server], new Array<number>(length).fill(0), () => {
    if (`${answers}|${heard}` !== '101,102|1,2') throw new Error(`${answers}|${heard}`);
  });
}

it('in every interleaving, calls over a channel are answered, and its end is heard', {
  timeout: 300_000,
}, () => {
  const { stateCount, failure } = exploreChannel(1, 2);
  expect(failure).toBeUndefined();
  expect(stateCount).toBeGreaterThan(500);
});
