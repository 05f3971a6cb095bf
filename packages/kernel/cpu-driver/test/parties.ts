/** Two domains that send each other messages: the first of a bench, and one that it has built. */

import { asPtr, assert, type Ptr } from '@barreleye/core';
import { boardPc32 } from '@barreleye/machine';
import { pagingX86_32Pae } from '@barreleye/paging-x86-32';
import {
  capAddrOf,
  DispatcherFrame,
  invokeHeader,
  LMP_RING_WORD_BYTES,
  LmpEndpoint,
  LmpHeader,
  RootSlot,
  Syscall,
  TaskSlot,
} from '@barreleye/spec';
import { type Bench, TARGETS, type Target } from './bench.ts';
import { Domain, NEW_HOME } from './domain.ts';
import { type Answer, must, User } from './user.ts';

/** The architectures of all tests, and one whose registers do not hold the words of a message. */
export const MESSAGE_TARGETS: readonly Target[] = [
  ...TARGETS,
  { name: 'x86_32', board: boardPc32, paging: pagingX86_32Pae },
];

/** Where endpoint buffers lie in dispatcher frames. */
export const BUFFER = 0x2000;
/** Words of their rings. */
export const RING = 32;
/** The root CNode of every domain, in its own CSpace. */
export const ROOT_CN = capAddrOf(RootSlot.TaskCn, TaskSlot.RootCn);

/** What goes with the words of a message. */
export interface SendOptions {
  readonly flags?: number;
  readonly cap?: number;
  readonly capLevel?: number;
}

/** A message as it lay in a ring. */
export interface Received {
  readonly words: readonly number[];
  readonly hasCap: boolean;
}

/** The words of a send. */
export function sendWords(
  endpoint: number,
  words: readonly number[],
  { flags = 0, cap = 0, capLevel = 2 }: SendOptions = {},
): number[] {
  const header = invokeHeader(cap === 0 ? 0 : capLevel, 2, flags, words.length);
  return [Syscall.Invoke, header, endpoint, cap, ...words];
}

/** A ring, as its owner sees it. */
export class Ring {
  readonly buffer: Ptr<'LmpEndpoint'>;
  readonly frame: Ptr<'DispatcherFrame'>;
  private readonly bench: Bench;
  private readonly ringWords: number;

  constructor(bench: Bench, frame: Ptr<'DispatcherFrame'>, offset = BUFFER, ringWords = RING) {
    this.bench = bench;
    this.frame = frame;
    this.buffer = asPtr<'LmpEndpoint'>(frame + offset);
    this.ringWords = ringWords;
  }

  /** Say where the next capability goes. */
  arm(slot: number, cspace = ROOT_CN): void {
    LmpEndpoint.recvCspace.set(this.bench.mem, this.buffer, cspace);
    LmpEndpoint.recvSlot.set(this.bench.mem, this.buffer, slot);
  }

  /** Take the oldest message, undefined when there is none. */
  receive(): Received | undefined {
    const { mem } = this.bench;
    let at = LmpEndpoint.consumed.get(mem, this.buffer);
    if (at === LmpEndpoint.delivered.get(mem, this.buffer)) return undefined;
    const next = (): number => {
      const place = this.buffer + LmpEndpoint.$bytes + at * LMP_RING_WORD_BYTES;
      at = (at + 1) % this.ringWords;
      assert(mem.load32(asPtr(place + 4)) === 0, 'the high half of a ring word is zero');
      return mem.load32(asPtr(place));
    };
    const header = next();
    const words = Array.from({ length: header >>> LmpHeader.LengthShift }, next);
    LmpEndpoint.consumed.set(mem, this.buffer, at);
    const seen = DispatcherFrame.lmpSeen.get(mem, this.frame) + words.length + 1;
    DispatcherFrame.lmpSeen.set(mem, this.frame, seen >>> 0);
    return { words, hasCap: (header & LmpHeader.CapBit) !== 0 };
  }
}

/** The first domain and another, with an endpoint of each in the hands of the other. */
export class Parties {
  readonly user: User;
  readonly bench: Bench;
  readonly other: Domain;
  /** Of the other, in the CSpace of the first. */
  readonly toOther: number;
  /** Of the first, in the CSpace of the first. */
  readonly toUser: number;
  /** Of the first, in the CSpace of the other. */
  readonly back: number;
  readonly otherRing: Ring;
  readonly userRing: Ring;

  constructor(target: Target, ringWords = RING) {
    this.user = new User(target, { ramBytes: 8 * 2 ** 20 });
    const { user } = this;
    this.bench = user.bench;
    this.other = new Domain(user);
    must(this.other.setup());
    this.toOther = user.makeEndpoint(BUFFER, ringWords, this.other.dispatcher);
    this.toUser = user.makeEndpoint(BUFFER, ringWords);
    this.other.give(this.toUser, NEW_HOME, 0);
    this.back = capAddrOf(NEW_HOME, 0);
    this.otherRing = new Ring(this.bench, this.other.frame, BUFFER, ringWords);
    this.userRing = new Ring(this.bench, user.frame, BUFFER, ringWords);
  }

  /** Let interrupts go by until `dcb` has the core. */
  giveCoreTo(dcb: Ptr<'Dcb'>): void {
    for (let turn = 0; turn < 8 && this.bench.current !== dcb; turn++) {
      this.bench.endTurn();
      this.bench.run(1);
    }
    assert(this.bench.current === dcb, 'it is runnable, so its turn comes');
  }

  /** Send as the first domain. */
  send(words: readonly number[], options: SendOptions = {}): Answer {
    return this.user.call(...sendWords(this.toOther, words, options));
  }

  /** Send as the other, which has the core. */
  reply(words: readonly number[], options: SendOptions = {}): Answer {
    return this.user.call(...sendWords(this.back, words, options));
  }
}
