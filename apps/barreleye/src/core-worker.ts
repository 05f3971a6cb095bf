/** The thread of a core of a system that runs in parallel. All else is loaded from the cache. */

import module from 'node:module';

module.enableCompileCache?.(); // Node 22.8 and later
await import('./core-thread.ts');
