/** A worker of a ring: passes the token on. */
import { workerData } from 'node:worker_threads';
import { ENDED, receive, send } from '@barreleye/ump';
import { openNeighbours, type TokenJob } from './token-neighbours.ts';

const job = workerData as TokenJob;
const { pollBudget } = job;
const { previous, next, doorbell } = openNeighbours(job);
const token = new Uint32Array(14);
while (receive(previous, token, doorbell, pollBudget) !== ENDED) {
  send(next, token, 1, doorbell, pollBudget);
}
