/** What the cores of a machine that a bench boots are like. */
import { parentPort } from 'node:worker_threads';
import { coreSetup } from '@barreleye/boot';
import { targetX86_64 } from '@barreleye/boot-x86-64';
import { nodeMain, runCore } from '@barreleye/machine-threads';
import { type BareChoice, bareSetup } from './bare-kernels.ts';
import { callsTarget } from './parallel-calls.ts';

if (parentPort === null) throw new Error('this file is for a worker');
runCore(nodeMain(parentPort), (app) => {
  if (app === undefined) return coreSetup(targetX86_64);
  if (app instanceof SharedArrayBuffer) return coreSetup(callsTarget(app));
  return bareSetup(app as BareChoice);
});
