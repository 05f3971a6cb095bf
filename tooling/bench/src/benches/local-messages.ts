/**
 * LMP between two dispatchers of one core: system call, endpoint lookup, words into the ring, a
 * switch of address space, and the receiver reading them. Beside it the nearest things that the
 * host has: a `MessagePort` inside one thread, and one between two workers.
 */
import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { Bench, Gauge, Trial } from '../bench.ts';
import { MESSAGE_WORDS, MessagePair, type Watcher } from '../message-pair.ts';
import { allocating } from '../sides.ts';

const ROUND_TRIPS = 10_000;
/** Round trips through a port in one round. */
const PORT_ROUND_TRIPS = 1000;
/** Messages that go one way before the receiver gets the core. */
const BATCH = 16;
/** Round trips that are timed one by one. */
const SAMPLES = 20_000;

/** What a port and a worker have in common. */
interface Port {
  on(event: 'message', listener: () => void): unknown;
  postMessage(message: unknown): void;
}

const WORKER = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', (message) => parentPort.postMessage(message));
`;

export const benches: readonly Bench[] = [
  {
    name: 'LMP round trip',
    unit: 'ns/op',
    baselineName: 'MessagePort in a thread',
    setup: () => ({ ...lmpTrial(1), ...portBaseline(1) }),
  },
  {
    name: 'LMP round trip, two workers',
    unit: 'ns/op',
    baselineName: 'MessagePort between workers',
    setup: setupWorkers,
  },
  {
    name: `LMP one way, ${BATCH} at a time`,
    unit: 'ns/op',
    baselineName: `MessagePort, ${BATCH} at a time`,
    setup: () => ({ ...lmpTrial(BATCH), ...portBaseline(BATCH) }),
  },
  ...[
    { name: 'p50', quantile: 0.5 },
    { name: 'p99', quantile: 0.99 },
  ].flatMap(({ name, quantile }) => [
    quantileBench(`round trip, ${name}`, quantile, (begin, end) => ({
      onSend: begin,
      onReply: end,
    })),
    quantileBench(`one way, ${name}`, quantile, (begin, end) => ({
      onSend: begin,
      onReceive: end,
    })),
  ]),
  {
    name: 'heap churn of an LMP round trip',
    unit: 'B/op',
    baselineName: 'an object each',
    setup: setupChurn,
  },
];

/** Time for one of `batch` messages, of which the last is answered. */
function lmpTrial(batch: number): Pick<Trial, 'operations' | 'subject'> {
  const pair = new MessagePair(batch);
  const count = Math.ceil(ROUND_TRIPS / batch);
  return { operations: count * batch, subject: () => pair.run(count) };
}

function portBaseline(batch: number): Pick<Trial, 'baseline' | 'teardown'> {
  const { port1, port2 } = new MessageChannel();
  let received = 0;
  port2.on('message', (message) => {
    received += 1;
    if (received % batch === 0) port2.postMessage(message);
  });
  const exchange = exchanger(port1, batch);
  const round = async (): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < PORT_ROUND_TRIPS; i++) await exchange();
    return ((performance.now() - start) * 1e6) / (PORT_ROUND_TRIPS * batch);
  };
  return { baseline: { round }, teardown: () => port1.close() };
}

/** Posts `batch` messages; resolved when the answer is there. */
function exchanger(port: Port, batch: number): () => Promise<void> {
  const message = Uint32Array.from({ length: MESSAGE_WORDS }, (_, i) => i);
  let resolve = (): void => {};
  port.on('message', () => resolve());
  return () =>
    new Promise((done) => {
      resolve = done;
      for (let i = 0; i < batch; i++) port.postMessage(message);
    });
}

function setupWorkers(): Trial {
  const worker = new Worker(WORKER, { eval: true });
  const exchange = exchanger(worker, 1);
  const isReady = once(worker, 'online');
  const round = async (): Promise<number> => {
    await isReady;
    const start = performance.now();
    for (let i = 0; i < PORT_ROUND_TRIPS; i++) await exchange();
    return ((performance.now() - start) * 1e6) / PORT_ROUND_TRIPS;
  };
  return { ...lmpTrial(1), baseline: { round }, teardown: () => void worker.terminate() };
}

/** What a watcher does at the beginning and at the end of what is timed. */
type Timing = (begin: () => void, end: () => void) => Watcher;

/** Messages timed one by one; the time that a part `quantile` of them stays below. */
function quantileBench(name: string, quantile: number, timing: Timing): Bench {
  return {
    name: `LMP ${name}`,
    unit: 'ns/op',
    baselineName: 'MessagePort round trip, likewise',
    setup: () => setupQuantile(quantile, timing),
  };
}

function setupQuantile(quantile: number, timing: Timing): Trial {
  const pair = new MessagePair(1);
  const times = new Float64Array(SAMPLES);
  const { port1, port2 } = new MessageChannel();
  port2.on('message', (message) => port2.postMessage(message));
  const exchange = exchanger(port1, 1);
  const subject: Gauge = {
    round: () => {
      let start = 0;
      let i = 0;
      const begin = (): void => {
        start = performance.now();
      };
      const end = (): void => {
        times[i++] = (performance.now() - start) * 1e6;
      };
      pair.run(SAMPLES, timing(begin, end));
      return times.toSorted()[Math.floor(quantile * (SAMPLES - 1))] ?? 0;
    },
  };
  const baseline: Gauge = {
    round: async () => {
      for (let i = 0; i < SAMPLES; i++) {
        const start = performance.now();
        await exchange();
        times[i] = (performance.now() - start) * 1e6;
      }
      return times.toSorted()[Math.floor(quantile * (SAMPLES - 1))] ?? 0;
    },
  };
  return { operations: SAMPLES, rounds: 9, subject, baseline, teardown: () => port1.close() };
}

function setupChurn(): Trial {
  const pair = new MessagePair(1);
  const last: { object: object } = { object: {} };
  const times = 100;
  const drop = (): void => {
    for (let i = 0; i < ROUND_TRIPS; i++) last.object = { i };
  };
  return {
    operations: ROUND_TRIPS,
    rounds: 3,
    subject: allocating({ call: () => pair.run(ROUND_TRIPS), operations: ROUND_TRIPS, times }),
    baseline: allocating({ call: drop, operations: ROUND_TRIPS, times }),
  };
}
