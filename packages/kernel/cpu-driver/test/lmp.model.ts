/** Messages between dispatchers as queues of lists: what a send must answer, and what it moves. */

import { LmpFlag } from '@barreleye/spec';

/** A message, and the object of the capability that came along. */
export interface Sent {
  readonly words: readonly number[];
  readonly cap: number | undefined;
}

/** One dispatcher. */
export interface Party {
  readonly queue: Sent[];
  /** Objects by slot. */
  readonly slots: (number | undefined)[];
  /** The slot for the next capability, undefined for none. */
  armed: number | undefined;
  isAlive: boolean;
  isStopped: boolean;
}

/** Somebody sends words, and perhaps what is in one of his slots. */
export interface Send {
  readonly from: number;
  readonly to: number;
  readonly words: readonly number[];
  readonly slot: number | undefined;
  readonly flags: number;
}

/** What a send answers, and who has the core then. */
export interface Outcome {
  readonly names: readonly string[];
  readonly current: number;
}

const { Sync, Yield, GiveAway } = LmpFlag;

export class MessageModel {
  readonly parties: readonly Party[];
  private readonly ringWords: number;

  constructor(partyCount: number, slotCount: number, ringWords: number) {
    this.ringWords = ringWords;
    this.parties = Array.from({ length: partyCount }, () => ({
      queue: [],
      slots: new Array<number | undefined>(slotCount).fill(undefined),
      armed: undefined,
      isAlive: true,
      isStopped: false,
    }));
  }

  party(i: number): Party {
    const party = this.parties[i];
    if (party === undefined) throw new RangeError(`there is no party ${i}`);
    return party;
  }

  send(send: Send): Outcome {
    const { from, to, flags } = send;
    const names = this.whyNot(send);
    const isTransient = /OVERFLOW|DST_/.test(names[0] ?? '');
    const isGift = names.length === 0 ? (flags & Sync) !== 0 : isTransient && (flags & Yield) !== 0;
    if (names.length === 0) this.deliver(send);
    return { names, current: isGift && !this.party(to).isStopped ? to : from };
  }

  /** Somebody is stopped or resumed; why not, if not. */
  stop(who: number, isStopped: boolean): string[] {
    const party = this.party(who);
    if (!party.isAlive) return ['SYS_ERR_DISP_NOT_RUNNABLE'];
    party.isStopped = isStopped;
    return [];
  }

  private whyNot({ from, to, words, slot }: Send): string[] {
    const receiver = this.party(to);
    if (!receiver.isAlive) return ['SYS_ERR_LMP_NO_TARGET'];
    const used = receiver.queue.reduce((sum, sent) => sum + sent.words.length + 1, 0);
    if (used + words.length + 1 >= this.ringWords) return ['SYS_ERR_LMP_BUF_OVERFLOW'];
    if (slot === undefined) return [];
    if (receiver.armed === undefined) return ['SYS_ERR_LMP_CAPTRANSFER_DST_CNODE_INVALID'];
    if (this.party(from).slots[slot] === undefined) {
      return ['SYS_ERR_LMP_CAPTRANSFER_SRC_LOOKUP', 'SYS_ERR_CAP_NOT_FOUND'];
    }
    const isFull = receiver.slots[receiver.armed] !== undefined;
    return isFull ? ['SYS_ERR_LMP_CAPTRANSFER_DST_SLOT_OCCUPIED'] : [];
  }

  private deliver({ from, to, words, slot, flags }: Send): void {
    const { slots } = this.party(from);
    const receiver = this.party(to);
    const cap = slot === undefined ? undefined : slots[slot];
    receiver.queue.push({ words, cap });
    if (slot === undefined || receiver.armed === undefined) return;
    receiver.slots[receiver.armed] = cap;
    if ((flags & GiveAway) !== 0) slots[slot] = undefined;
  }
}
