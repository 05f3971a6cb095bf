/**
 * Games for a duel: round trips and one-way messages of 14 words, through UMP, and through what one
 * would use instead. Whoever has nothing to do spins, and rests when that takes long.
 */
import { SharedWords, UmpEnd, type UmpMode } from '@barreleye/ump';
import { RingBuffer } from 'ringbuf.js';

/** Messages that fit into each ring: half a page of UMP, as in Barrelfish. */
const SLOTS = 29;

export type DuelGame =
  | 'raw round trip'
  | 'round trip'
  | 'one way'
  | 'one way, bulk'
  | 'ringbuf one way';

/** The memory of a game. */
export interface DuelBoard {
  readonly channel: SharedArrayBuffer;
  /** For the one game whose rings cannot share a buffer. */
  readonly rings: readonly [SharedArrayBuffer, SharedArrayBuffer];
}

export function createBoard(): DuelBoard {
  const ring = (): SharedArrayBuffer =>
    RingBuffer.getStorageForCapacity(SLOTS * PAYLOAD_WORDS, Uint32Array);
  return {
    channel: alignedBuffer(),
    rings: [ring(), ring()],
  };
}

/** Shared memory that begins with a cache line, which a `new SharedArrayBuffer` may not. */
function alignedBuffer(): SharedArrayBuffer {
  return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer;
}

/** One side. */
export interface Player {
  /** So many round trips, or messages from side 0 to side 1 of which the last is answered. */
  play(count: number, patience: Patience): void;
}

/** A queue each way, without waiting. */
interface Lines {
  send(message: Uint32Array, isLast: boolean): boolean;
  receive(into: Uint32Array): boolean;
}

const PAYLOAD_WORDS = 14;
const SLOT_WORDS = 16;
const CONTROL = 15;
/** Looks before a rest: the other side is not running. */
const PATIENCE = 25_000;
const REST_MS = 0.05;
const bed = new Int32Array(new SharedArrayBuffer(4));

/** Whoever looks in vain for long rests: the other side may need this processor to run. */
export class Patience {
  restCount = 0;
  private looks = 0;

  /** After a fruitless look. */
  look(): void {
    this.looks += 1;
    if (this.looks < PATIENCE) return;
    this.looks = 0;
    this.restCount += 1;
    Atomics.wait(bed, 0, 0, REST_MS);
  }
}

/** Side `side` of a game on memory that both have. */
export function createPlayer(game: DuelGame, board: DuelBoard, side: 0 | 1): Player {
  const lines = createLines(game, board, side);
  return game.endsWith('round trip')
    ? new RoundTripPlayer(lines, side)
    : new OneWayPlayer(lines, side);
}

function createLines(game: DuelGame, board: DuelBoard, side: 0 | 1): Lines {
  switch (game) {
    case 'raw round trip':
      return new RawLines(board, side);
    case 'ringbuf one way':
      return new RingbufLines(board, side);
    default:
      return new UmpLines(board, side, game.endsWith('bulk') ? 'bulk' : 'latency');
  }
}

class RoundTripPlayer implements Player {
  private readonly lines: Lines;
  private readonly side: number;
  private readonly message: Uint32Array;
  private readonly into: Uint32Array;

  constructor(lines: Lines, side: number) {
    this.lines = lines;
    this.side = side;
    this.message = new Uint32Array(PAYLOAD_WORDS).fill(7);
    this.into = new Uint32Array(PAYLOAD_WORDS);
  }

  play(count: number, patience: Patience): void {
    const { lines, message, into } = this;
    for (let i = 0; i < count; i++) {
      if (this.side === 0) while (!lines.send(message, true)) patience.look();
      while (!lines.receive(into)) patience.look();
      if (this.side === 1) while (!lines.send(message, true)) patience.look();
    }
  }
}

class OneWayPlayer implements Player {
  private readonly lines: Lines;
  private readonly side: number;
  private readonly message: Uint32Array;
  private readonly into: Uint32Array;

  constructor(lines: Lines, side: number) {
    this.lines = lines;
    this.side = side;
    this.message = new Uint32Array(PAYLOAD_WORDS).fill(7);
    this.into = new Uint32Array(PAYLOAD_WORDS);
  }

  play(count: number, patience: Patience): void {
    const { lines, message, into } = this;
    if (this.side === 0) {
      for (let i = 1; i <= count; i++) {
        while (!lines.send(message, i === count)) patience.look();
      }
      while (!lines.receive(into)) patience.look();
    } else {
      for (let i = 0; i < count; i++) while (!lines.receive(into)) patience.look();
      while (!lines.send(message, true)) patience.look();
    }
  }
}

class UmpLines implements Lines {
  private readonly end: UmpEnd;

  constructor({ channel }: DuelBoard, side: 0 | 1, mode: UmpMode) {
    const words = new SharedWords(new Int32Array(channel));
    const role = side === 0 ? 'client' : 'server';
    this.end = new UmpEnd(words, 0, role, { slotCount: SLOTS, mode });
  }

  send(message: Uint32Array, isLast: boolean): boolean {
    return this.end.sender.trySend(message, PAYLOAD_WORDS, isLast);
  }

  receive(into: Uint32Array): boolean {
    return this.end.receiver.tryReceive(into) >= 0;
  }
}

/**
 * What one would write by hand for a round trip: slots, the control word atomic, the payload plain.
 * There is no window, as no side is ever ahead by more than a message.
 */
class RawLines implements Lines {
  private readonly cells: Int32Array;
  private readonly sending: number;
  private readonly receiving: number;
  private sentCount = 0;
  private receivedCount = 0;

  constructor({ channel }: DuelBoard, side: 0 | 1) {
    this.cells = new Int32Array(channel);
    const second = SLOTS * SLOT_WORDS;
    this.sending = side === 0 ? 0 : second;
    this.receiving = side === 0 ? second : 0;
  }

  send(message: Uint32Array): boolean {
    const { cells } = this;
    const at = this.sending + (this.sentCount % SLOTS) * SLOT_WORDS;
    this.sentCount += 1;
    for (let i = 0; i < PAYLOAD_WORDS; i++) cells[at + i] = message[i]!;
    Atomics.store(cells, at + CONTROL, this.sentCount);
    return true;
  }

  receive(into: Uint32Array): boolean {
    const { cells } = this;
    const at = this.receiving + (this.receivedCount % SLOTS) * SLOT_WORDS;
    if (Atomics.load(cells, at + CONTROL) !== this.receivedCount + 1) return false;
    this.receivedCount += 1;
    for (let i = 0; i < PAYLOAD_WORDS; i++) into[i] = cells[at + i]!;
    return true;
  }
}

/** npm `ringbuf.js`: words in a ring. It has room for whole messages, so none goes in parts. */
class RingbufLines implements Lines {
  private readonly outgoing: RingBuffer;
  private readonly incoming: RingBuffer;

  constructor({ rings }: DuelBoard, side: 0 | 1) {
    this.outgoing = new RingBuffer(rings[side], Uint32Array);
    this.incoming = new RingBuffer(rings[side === 0 ? 1 : 0], Uint32Array);
  }

  send(message: Uint32Array): boolean {
    return this.outgoing.push(message) > 0;
  }

  receive(into: Uint32Array): boolean {
    return this.incoming.pop(into) > 0;
  }
}
