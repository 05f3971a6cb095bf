/** The thread of a core of a stress test. */

import { parentPort } from 'node:worker_threads';
import { coreSetup } from '@barreleye/boot';
import { nodeMain, runCore } from '@barreleye/machine-threads';
import type { ParallelPlan } from './parallel.ts';
import { planned } from './parallel.ts';

if (parentPort === null) throw new Error('this file is for a worker');
runCore(nodeMain(parentPort), (app) => {
  const { target, wrapDriver } = planned(app as ParallelPlan);
  return coreSetup(target, wrapDriver);
});
