/** A side of a duel. In each round it plays some bouts; side 0 measures, and tells the shortest. */
import { workerData } from 'node:worker_threads';
import { DuelCell, type DuelJob, RESULT_AT } from './duel.ts';
import { createPlayer, rest } from './duel-games.ts';

const { game, side, count, control, board } = workerData as DuelJob;
const BOUTS = 50;
const cells = new Int32Array(control);
const results = new Float64Array(control);
const player = createPlayer(game, board, side);
let bout = 0;

/** Let both be there; nanoseconds of a turn. */
function fight(): number {
  bout += 1;
  const [own, other] =
    side === 0 ? [DuelCell.Bout, DuelCell.Ready] : [DuelCell.Ready, DuelCell.Bout];
  Atomics.store(cells, own, bout);
  let looks = 0;
  while (Atomics.load(cells, other) < bout) looks = rest(looks);
  const start = performance.now();
  player.play(count);
  return ((performance.now() - start) * 1e6) / count;
}

for (let round = 0; ; ) {
  Atomics.wait(cells, DuelCell.Round, round);
  round += 1;
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < BOUTS; i++) best = Math.min(best, fight());
  if (side === 1) continue;
  results[RESULT_AT] = best;
  Atomics.store(cells, DuelCell.Done, round);
  Atomics.notify(cells, DuelCell.Done);
}
