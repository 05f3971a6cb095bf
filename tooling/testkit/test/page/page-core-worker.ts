/** The thread of a core in a page. */

import { coreSetup } from '@barreleye/boot';
import { runCore, type WebScope, webMain } from '@barreleye/machine-threads';
import { TARGETS } from '../../src/boot.ts';

declare const self: WebScope; // the types of Node leave it out

runCore(webMain(self), (app) => coreSetup(TARGETS[app as number]!.target));
