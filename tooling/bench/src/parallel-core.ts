/** What the cores of a machine that a bench boots are like. */
import { parentPort } from 'node:worker_threads';
import { coreSetup } from '@barreleye/boot';
import { targetX86_64 } from '@barreleye/boot-x86-64';
import { nodeMain, runCore } from '@barreleye/machine-threads';
import { type BareChoice, bareSetup } from './bare-kernels.ts';

if (parentPort === null) throw new Error('this file is for a worker');
runCore(nodeMain(parentPort), (app) =>
  app === undefined ? coreSetup(targetX86_64) : bareSetup(app as BareChoice),
);
