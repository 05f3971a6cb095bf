/** A channel between two cores of a topology, in cycles of virtual time. */
import { packageOfCore, type Topology, type UserCpu } from '@barreleye/spec';
import { MappedWords, UmpEnd, umpChannelBytes } from '@barreleye/ump';
import { type Loop, NearMemory, runRawCores } from './raw-cores.ts';

const SLOTS = 29;
/** Messages before those that count: until every line of the ring has been used. */
const WARM_UP = 2 * SLOTS;
const MESSAGES = 10 * SLOTS;
/** A message with its note and its control word is a cache line. */
const MESSAGE_WORDS = 14;

/** A channel between the first core of a topology and another; its memory is near the first. */
export interface CorePair {
  readonly topology: Topology;
  readonly peer: number;
}

/** Cycles of a message one way: half of a round trip. */
export function measureOneWay(pair: CorePair): number {
  return measure(pair, pingLoop, pongLoop) / (2 * MESSAGES);
}

/** Cycles from one message to the next of a sender who does not wait for answers. */
export function measurePipelined(pair: CorePair): number {
  return measure(pair, sendLoop, takeLoop) / MESSAGES;
}

type LoopMaker = (end: UmpEnd, cpu: UserCpu, finish: (cycles: number) => void) => Loop;

function measure({ topology, peer }: CorePair, first: LoopMaker, second: LoopMaker): number {
  const at = new NearMemory(topology).take(packageOfCore(topology, 0), umpChannelBytes(SLOTS));
  let took = -1;
  const finish = (cycles: number): void => {
    took = cycles;
  };
  const loopOf = (core: number, cpu: UserCpu): Loop => {
    if (core !== 0 && core !== peer) return () => cpu.spend(10_000);
    const side = core === 0 ? 'client' : 'server';
    const end = new UmpEnd(new MappedWords(cpu, at), 0, side, { slotCount: SLOTS });
    return (core === 0 ? first : second)(end, cpu, finish);
  };
  runRawCores({ topology, coreCount: peer + 1, loopOf }, () => took >= 0);
  return took;
}

const pingLoop: LoopMaker = (end, cpu, finish) => {
  const message = new Uint32Array(MESSAGE_WORDS);
  let count = 0;
  let start = 0;
  let isWaiting = false;
  return () => {
    if (isWaiting && end.receiver.tryReceive(message) < 0) return;
    if (count === WARM_UP) start = cpu.now();
    if (count === WARM_UP + MESSAGES) finish(cpu.now() - start);
    count += 1;
    isWaiting = end.sender.trySend(message, MESSAGE_WORDS);
  };
};

const pongLoop: LoopMaker = (end) => {
  const message = new Uint32Array(MESSAGE_WORDS);
  return () => {
    if (end.receiver.tryReceive(message) >= 0) end.sender.trySend(message, MESSAGE_WORDS);
  };
};

const sendLoop: LoopMaker = (end) => {
  const message = new Uint32Array(MESSAGE_WORDS);
  return () => void end.sender.trySend(message, MESSAGE_WORDS);
};

const takeLoop: LoopMaker = (end, cpu, finish) => {
  const message = new Uint32Array(MESSAGE_WORDS);
  let count = 0;
  let start = 0;
  return () => {
    if (end.receiver.tryReceive(message) < 0) return;
    count += 1;
    if (count === WARM_UP) start = cpu.now();
    if (count === WARM_UP + MESSAGES) finish(cpu.now() - start);
  };
};
