/**
 * UMP between two workers, beside what one would use instead: the same by hand, in JavaScript and
 * in C, a `MessagePort`, npm's ringbuf.js. All messages have 14 words.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { SharedWords, UmpEnd, umpChannelBytes } from '@barreleye/ump';
import type { Bench, Gauge, Trial } from '../bench.ts';
import { CProgram } from '../c-program.ts';
import { Duel } from '../duel.ts';
import type { DuelGame } from '../duel-games.ts';
import { allocating } from '../sides.ts';
import { TokenRing } from '../token-ring.ts';

/** Turns of a bout: some 10 us. */
const ROUND_TRIPS = 80;
const ONE_WAY = 500;
const PORT_ROUND_TRIPS = 200;
const CHURN_MESSAGES = 10_000;
/** Workers of a ring, as many as there are processors and twice as many. */
const CROWDS = [1, 2].map((times) => times * availableParallelism());

export const benches: readonly Bench[] = [
  {
    name: 'UMP round trip',
    unit: 'ns/op',
    baselineName: 'the same by hand',
    setup: () => duel(['round trip', ROUND_TRIPS], ['raw round trip', ROUND_TRIPS]),
  },
  {
    name: 'UMP round trip, C',
    unit: 'ns/op',
    baselineName: 'the same by hand in C',
    setup: setupC,
  },
  {
    name: 'UMP round trip, MessagePort',
    unit: 'ns/op',
    baselineName: 'MessagePort between workers',
    setup: setupPort,
  },
  {
    name: 'UMP one way, pipelined',
    unit: 'ns/op',
    baselineName: 'half a round trip',
    setup: () => duel(['one way', ONE_WAY], ['round trip', ROUND_TRIPS], 0.5),
  },
  {
    name: 'UMP throughput',
    unit: 'Mop/s',
    baselineName: 'ringbuf.js',
    setup: () => duel(['one way', ONE_WAY], ['ringbuf one way', ONE_WAY]),
  },
  {
    name: 'UMP throughput, bulk',
    unit: 'Mop/s',
    baselineName: 'ringbuf.js',
    setup: () => duel(['one way, bulk', ONE_WAY], ['ringbuf one way', ONE_WAY]),
  },
  ...CROWDS.map(
    (count): Bench => ({
      name: `UMP token among ${count} workers`,
      unit: 'us/op',
      baselineName: 'sleeping at once',
      family: 'UMP token',
      size: count,
      setup: () => setupTokens(count),
    }),
  ),
  {
    name: 'heap churn of a UMP message',
    unit: 'B/op',
    baselineName: 'an object each',
    setup: setupChurn,
  },
];

type Part = readonly [game: DuelGame, turns: number];

/** Two games; of a turn of the baseline only the part `share` counts. */
function duel([game, turns]: Part, [other, otherTurns]: Part, share = 1): Trial {
  const duels = [new Duel(game, turns), new Duel(other, otherTurns)] as const;
  const { round } = duels[1].gauge();
  return {
    operations: turns,
    subject: duels[0].gauge(),
    baseline: { round: async () => share * (await round()) },
    teardown: () => {
      for (const each of duels) each.stop();
    },
  };
}

function setupC(): Trial | string {
  const program = CProgram.start(['ump.c'], [29]);
  if (typeof program === 'string') return program;
  const subject = new Duel('round trip', ROUND_TRIPS);
  return {
    operations: ROUND_TRIPS,
    subject: subject.gauge(),
    baseline: program.gauge('round-trip'),
    teardown: () => {
      subject.stop();
      program.stop();
    },
  };
}

const ECHO = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', (message) => parentPort.postMessage(message));
`;

function setupPort(): Trial {
  const subject = new Duel('round trip', ROUND_TRIPS);
  const worker = new Worker(ECHO, { eval: true });
  const isReady = once(worker, 'online');
  const message = new Uint32Array(14);
  let answered = (): void => {};
  worker.on('message', () => answered());
  const exchange = (): Promise<void> =>
    new Promise((resolve) => {
      answered = resolve;
      worker.postMessage(message);
    });
  const round = async (): Promise<number> => {
    await isReady;
    const start = performance.now();
    for (let i = 0; i < PORT_ROUND_TRIPS; i++) await exchange();
    return ((performance.now() - start) * 1e6) / PORT_ROUND_TRIPS;
  };
  return {
    operations: ROUND_TRIPS,
    subject: subject.gauge(),
    baseline: { round },
    teardown: () => {
      subject.stop();
      void worker.terminate();
    },
  };
}

/** A token goes round among `count` workers; one hop. */
function setupTokens(count: number): Trial {
  const [polling, sleeping] = [new TokenRing(count), new TokenRing(count, 0)];
  return {
    operations: 1,
    subject: polling.gauge(),
    baseline: sleeping.gauge(),
    teardown: () => {
      polling.stop();
      sleeping.stop();
    },
  };
}

function setupChurn(): Trial {
  const slotCount = 29;
  const words = new SharedWords(new Int32Array(new SharedArrayBuffer(umpChannelBytes(slotCount))));
  const client = new UmpEnd(words, 0, 'client', { slotCount });
  const server = new UmpEnd(words, 0, 'server', { slotCount });
  const message = new Uint32Array(14);
  const last: { object: object } = { object: {} };
  const exchange = (): void => {
    for (let i = 0; i < CHURN_MESSAGES; i++) {
      if (!client.sender.trySend(message, 14)) throw new Error('the ring is full');
      if (server.receiver.tryReceive(message) !== 14) throw new Error('the ring is empty');
    }
  };
  const drop = (): void => {
    for (let i = 0; i < CHURN_MESSAGES; i++) last.object = { i };
  };
  const gauge = (call: () => void): Gauge =>
    allocating({ call, operations: CHURN_MESSAGES, times: 100 });
  return { operations: CHURN_MESSAGES, rounds: 3, subject: gauge(exchange), baseline: gauge(drop) };
}
