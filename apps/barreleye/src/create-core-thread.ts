/** Makes the threads of systems that run in parallel. */

import { Worker } from 'node:worker_threads';
import { type CoreThread, nodeThread } from '@barreleye/machine-threads';

/** A thread that will be told which core of which system it is: see `core-thread.ts`. */
export function createCoreThread(): CoreThread {
  return nodeThread(new Worker(new URL('./core-worker.ts', import.meta.url)));
}
