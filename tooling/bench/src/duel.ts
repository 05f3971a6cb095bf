/**
 * A duel: two workers play a game of messages (duel-games.ts) against each other. Each worker plays
 * one game only, so the compiler sees one kind of message there.
 *
 * On a machine that others use, both are rarely on a processor at once for long. So a bout is
 * short, and of several bouts without a rest the shortest counts: the others had a pause in them.
 */
import { Worker } from 'node:worker_threads';
import type { Gauge } from './bench.ts';
import { createBoard, type DuelBoard, type DuelGame } from './duel-games.ts';

/** Words of the control block, a cache line each. */
export const DuelCell = {
  Round: 0, // the round that main wants
  Done: 16, // the last one that is over
  Bout: 32, // the bout that side 0 begins, and
  Ready: 48, // the one that side 1 is there for
} as const;
/** In the same block, as a double: nanoseconds of a turn in that round. */
export const RESULT_AT = 32;

export interface DuelJob {
  readonly game: DuelGame;
  readonly side: 0 | 1;
  /** Turns of a bout. */
  readonly count: number;
  readonly control: SharedArrayBuffer;
  readonly board: DuelBoard;
}

/** Long enough for a round on any machine. */
const TIMEOUT_MS = 60_000;

export class Duel {
  private readonly cells: Int32Array;
  private readonly results: Float64Array;
  private readonly workers: readonly Worker[];
  private roundCount: number;

  /** @param count turns of a bout: they should take some 10 us */
  constructor(game: DuelGame, count: number) {
    const control = new SharedArrayBuffer(512);
    const board = createBoard();
    this.cells = new Int32Array(control);
    this.results = new Float64Array(control);
    this.roundCount = 0;
    this.workers = ([0, 1] as const).map((side) => {
      const workerData: DuelJob = { game, side, count, control, board };
      return new Worker(new URL('./duel-worker.ts', import.meta.url), { workerData });
    });
  }

  /** Nanoseconds for one turn of the game. */
  gauge(): Gauge {
    return { round: () => this.round() };
  }

  stop(): void {
    for (const worker of this.workers) void worker.terminate();
  }

  private round(): number {
    const { cells } = this;
    this.roundCount += 1;
    Atomics.store(cells, DuelCell.Round, this.roundCount);
    Atomics.notify(cells, DuelCell.Round);
    const answer = Atomics.wait(cells, DuelCell.Done, this.roundCount - 1, TIMEOUT_MS);
    if (answer === 'timed-out') throw new Error('the duel does not come to its end');
    const best = this.results[RESULT_AT]!;
    if (!Number.isFinite(best)) throw new Error('the machine is too busy for a duel');
    return best;
  }
}
