/** A core of a system that runs in parallel: which target that is, the main thread says. */

import { parentPort } from 'node:worker_threads';
import { coreSetup } from '@barreleye/boot';
import { nodeMain, runCore } from '@barreleye/machine-threads';
import { chooseTarget, type TargetChoice } from './targets.ts';

if (parentPort === null) throw new Error('this file is for a worker');
runCore(nodeMain(parentPort), (app) => coreSetup(chooseTarget(app as TargetChoice)));
