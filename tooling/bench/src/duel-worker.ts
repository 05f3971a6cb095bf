/**
 * A side of a duel. In each round side 0 begins bouts until some of them went without a rest of its
 * own, measures them, and tells the shortest; side 1 plays along.
 */
import { workerData } from 'node:worker_threads';
import { DuelCell, type DuelJob, RESULT_AT } from './duel.ts';
import { createPlayer, Patience } from './duel-games.ts';

const { game, side, count, control, board } = workerData as DuelJob;
const CLEAN_BOUTS = 20;
const LIMIT_MS = 20_000;
const cells = new Int32Array(control);
const results = new Float64Array(control);
const player = createPlayer(game, board, side);
const patience = new Patience();
let bout = 0;

for (let round = 1; ; round++) {
  Atomics.wait(cells, DuelCell.Round, round - 1);
  if (side === 0) lead(round);
  else follow(round);
}

function lead(round: number): void {
  const end = performance.now() + LIMIT_MS;
  let best = Number.POSITIVE_INFINITY;
  for (let left = CLEAN_BOUTS; left > 0 && performance.now() < end; ) {
    bout += 1;
    Atomics.store(cells, DuelCell.Bout, bout);
    while (Atomics.load(cells, DuelCell.Ready) !== bout) patience.look();
    const { restCount } = patience;
    const start = performance.now();
    player.play(count, patience);
    const took = performance.now() - start;
    if (patience.restCount !== restCount) continue;
    best = Math.min(best, (took * 1e6) / count);
    left -= 1;
  }
  results[RESULT_AT] = best;
  Atomics.store(cells, DuelCell.Done, round);
  Atomics.notify(cells, DuelCell.Done);
}

function follow(round: number): void {
  while (Atomics.load(cells, DuelCell.Done) < round) {
    if (Atomics.load(cells, DuelCell.Bout) === bout) {
      patience.look();
      continue;
    }
    bout += 1;
    Atomics.store(cells, DuelCell.Ready, bout);
    player.play(count, patience);
  }
}
