/** The thread of a core with one of the kernels for tests. */

import { parentPort } from 'node:worker_threads';
import { nodeMain, runCore } from '../src/index.ts';
import { type KernelChoice, kernelSetup } from './kernels.ts';

if (parentPort === null) throw new Error('this file is for a worker');
runCore(nodeMain(parentPort), (app) => kernelSetup(app as KernelChoice));
