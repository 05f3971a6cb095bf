/** What every domain links: references, system calls, dispatcher and threads, the program API. */

export { Barrier } from './barrier.ts';
export {
  type Capref,
  capref,
  formatCapref,
  holds,
  placeOf,
  rootCapref,
  type Slot,
  type SlotPlace,
} from './capref.ts';
export {
  type CapIdentity,
  capCopy,
  capCreateId,
  capDelete,
  capIdentify,
  capLend,
  capMint,
  capMintEndpoint,
  capMintPorts,
  capMintUmp,
  capResize,
  capRetype,
  capRetypeAny,
  capRevoke,
  capState,
  cnodeSize,
  type EndpointBuffer,
  idIdentify,
  kcbIdentify,
  type MapArgs,
  mappingModify,
  nextSlot,
  type RetypeRange,
  vnodeMap,
  vnodeUnmap,
} from './caps.ts';
export { Condition } from './condition.ts';
export { type DeathReport, describeDeath, parseDeathReport } from './death-report.ts';
export { Dispatcher, type DispatcherMain } from './dispatcher.ts';
export {
  type DispatcherParts,
  dispatcherResume,
  dispatcherSetup,
  dispatcherStop,
} from './dispatcher-cap.ts';
export { dispatcherProperties, type Task } from './dispatcher-task.ts';
export { Endpoint, type LmpMessage } from './endpoint.ts';
export { EventSource, type EventSourceOptions, type Waiter } from './event-source.ts';
export { Events } from './events.ts';
export { type FirstState, firstState } from './first-state.ts';
export {
  irqAllocate,
  irqConnect,
  irqCore,
  irqLine,
  irqSourceEnd,
  irqSourceStart,
  notifySend,
} from './irq.ts';
export { KernelCap } from './kernel-cap.ts';
export { Mutex } from './mutex.ts';
export { Os, type OwnEndpoint, type Wait } from './os.ts';
export { BusError, OsError, type PageFault, PageFaultError, unwrap } from './os-error.ts';
export { type Main, type ProgramOptions, program, programImage, programOf } from './program.ts';
export { DeadlockError, UncaughtError } from './program-error.ts';
export { Queue, type Queued } from './queue.ts';
export { Scheduler, type ThreadOptions } from './scheduler.ts';
export { Semaphore } from './semaphore.ts';
export { SendRetry } from './send-retry.ts';
export { SlotAllocator } from './slot-alloc.ts';
export { type RamBlock, type RamSource, SlotSupply } from './slot-supply.ts';
export { Sys } from './sys.ts';
export {
  type Outcome,
  type PageFaultHandler,
  Thread,
  type ThreadBody,
  type ThreadState,
  type WaitTarget,
} from './thread.ts';
export { ThreadLocal } from './thread-local.ts';
export { deferredEvent, periodicEvent, TimedEvent } from './timed-event.ts';
export { Timer, TimerQueue } from './timer-queue.ts';
export {
  formatWaits,
  reportWaits,
  type ThreadWait,
  type WaitReport,
} from './wait-report.ts';
export { type Handler, Registration, Waitset } from './waitset.ts';
export {
  PAGE_ROOT,
  TASK_DISPATCHER,
  TASK_DISPATCHER_FRAME,
  TASK_DOMAIN,
  TASK_INIT_EP,
  TASK_IRQ_TABLE,
  TASK_KERNEL,
  TASK_PROCESS_MANAGER,
  TASK_ROOT_CN,
} from './well-known.ts';
