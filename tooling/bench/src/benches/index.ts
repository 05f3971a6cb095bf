/** Every bench, in the order in which they run. A new file of benches is listed here. */
import type { Bench } from '../bench.ts';
import { benches as calls } from './calls.ts';
import { benches as capabilityLookup } from './capability-lookup.ts';
import { benches as capabilityOperations } from './capability-operations.ts';
import { benches as capabilityRevoke } from './capability-revoke.ts';
import { benches as coreDistance } from './core-distance.ts';
import { benches as coreMessages } from './core-messages.ts';
import { benches as heapGrowth } from './heap-growth.ts';
import { benches as lazyMemory } from './lazy-memory.ts';
import { benches as localMessages } from './local-messages.ts';
import { benches as mappingDatabase } from './mapping-database.ts';
import { benches as memoryManager } from './memory-manager.ts';
import { benches as memoryViews } from './memory-views.ts';
import { benches as messagePieces } from './message-pieces.ts';
import { benches as names } from './names.ts';
import { benches as pageWalk } from './page-walk.ts';
import { benches as parallelCalls } from './parallel-calls.ts';
import { benches as parallelHost } from './parallel-host.ts';
import { benches as sortedStructures } from './sorted-structures.ts';
import { benches as spawn } from './spawn.ts';
import { benches as systemCall } from './system-call.ts';
import { benches as threads } from './threads.ts';
import { benches as translatedLoad } from './translated-load.ts';
import { benches as translationHeap } from './translation-heap.ts';
import { benches as upcalls } from './upcalls.ts';
import { benches as userMemoryHeap } from './user-memory-heap.ts';

export const BENCHES: readonly Bench[] = [
  ...memoryViews,
  ...translatedLoad,
  ...pageWalk,
  ...translationHeap,
  ...systemCall,
  ...upcalls,
  ...threads,
  ...localMessages,
  ...messagePieces,
  ...coreMessages,
  ...coreDistance,
  ...calls,
  ...spawn,
  ...parallelHost,
  ...parallelCalls,
  ...names,
  ...capabilityLookup,
  ...capabilityOperations,
  ...capabilityRevoke,
  ...mappingDatabase,
  ...sortedStructures,
  ...heapGrowth,
  ...lazyMemory,
  ...userMemoryHeap,
  ...memoryManager,
];
