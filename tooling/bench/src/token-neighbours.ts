/** The two channels of a place in a ring of workers. */
import { Doorbell, SharedWords, UmpEnd, umpChannelBytes } from '@barreleye/ump';

/** What a worker needs to take its place. */
export interface TokenJob {
  readonly buffer: SharedArrayBuffer;
  readonly place: number;
  readonly count: number;
  readonly pollBudget: number;
}

const TOKEN_SLOTS = 4;
/** Bytes of a bell and of a channel, for each of the workers. */
const BELL_BYTES = 64;
const CHANNEL_BYTES = umpChannelBytes(TOKEN_SLOTS);
export interface Neighbours {
  readonly previous: UmpEnd;
  readonly next: UmpEnd;
  readonly doorbell: Doorbell;
}

/** Bytes for a ring of `count` workers. */
export function tokenRingBytes(count: number): number {
  return count * (BELL_BYTES + CHANNEL_BYTES);
}

/** Channel `i` leads from place `i` to the next one. */
export function openNeighbours({ buffer, place, count }: TokenJob): Neighbours {
  const cells = new Int32Array(buffer);
  const words = new SharedWords(cells);
  const bellOf = (i: number): Doorbell => new Doorbell(cells, (i * BELL_BYTES) / 4);
  const open = (channel: number, side: 'client' | 'server', other: number): UmpEnd => {
    const bell = bellOf(other);
    const base = (count * BELL_BYTES + channel * CHANNEL_BYTES) / 4;
    const ringDoorbell = (): void => bell.ring();
    return new UmpEnd(words, base, side, { slotCount: TOKEN_SLOTS, ringDoorbell });
  };
  const before = (place + count - 1) % count;
  const after = (place + 1) % count;
  return {
    previous: open(before, 'server', before),
    next: open(place, 'client', after),
    doorbell: bellOf(place),
  };
}
