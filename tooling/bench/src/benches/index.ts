/** Every bench, in the order in which they run. A new file of benches is listed here. */
import type { Bench } from '../bench.ts';
import { benches as capabilityLookup } from './capability-lookup.ts';
import { benches as memoryViews } from './memory-views.ts';
import { benches as systemCall } from './system-call.ts';

export const BENCHES: readonly Bench[] = [...memoryViews, ...systemCall, ...capabilityLookup];
