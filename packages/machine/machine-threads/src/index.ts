/** The parallel host: each core of a machine in a worker of its own, on Node and in browsers. */

export { runCore } from './core-runner.ts';
export type { CoreSetup } from './core-setup.ts';
export { CoreFailure, type MachineEnd } from './machine-end.ts';
export type { CoreJob, CoreMessage, ErrorText } from './messages.ts';
export {
  type Activity,
  MAX_PARALLEL_CORES,
  ParallelMachine,
  type ParallelOptions,
} from './parallel-machine.ts';
export { ParallelTypist } from './parallel-typist.ts';
export { allocateShared, whyNotParallel } from './shared-memory.ts';
export {
  type CoreThread,
  type MainThread,
  type NodePort,
  type NodeWorker,
  nodeMain,
  nodeThread,
  type WebScope,
  type WebWorker,
  webMain,
  webThread,
} from './threads.ts';
