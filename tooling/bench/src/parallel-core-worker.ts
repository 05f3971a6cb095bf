/** The thread of a core of a machine that a bench boots. All else is loaded from the cache. */
import module from 'node:module';

module.enableCompileCache?.();
await import('./parallel-core.ts');
