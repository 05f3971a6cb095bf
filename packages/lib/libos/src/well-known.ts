/** References to what every domain finds in its CSpace (spec RootSlot, TaskSlot). */

import { RootSlot, TaskSlot, type VNodeTypeName } from '@barreleye/spec';
import { type Capref, capref } from './capref.ts';

/** The domain's own dispatcher. */
export const TASK_DISPATCHER: Capref<'Dispatcher'> = capref(RootSlot.TaskCn, TaskSlot.Dispatcher);
/** The root CNode of the domain's own CSpace: what CSpace operations are invoked on. */
export const TASK_ROOT_CN: Capref<'L1CNode'> = capref(RootSlot.TaskCn, TaskSlot.RootCn);
/** The frame that the dispatcher shares with the kernel. */
export const TASK_DISPATCHER_FRAME: Capref<'Frame'> = capref(
  RootSlot.TaskCn,
  TaskSlot.DispatcherFrame,
);
/** Interrupt authority (init and its heirs). */
export const TASK_IRQ_TABLE: Capref<'IRQTable'> = capref(RootSlot.TaskCn, TaskSlot.Irq);
/** Monitor authority (init and monitors). */
export const TASK_KERNEL: Capref<'Kernel'> = capref(RootSlot.TaskCn, TaskSlot.Kernel);
/** Where whoever made this domain listens to it alone. */
export const TASK_INIT_EP: Capref<'EndPointLMP'> = capref(RootSlot.TaskCn, TaskSlot.InitEp);
/** Authority to make domain identities, and over all that were made (init and its heirs). */
export const TASK_PROCESS_MANAGER: Capref<'ProcessManager'> = capref(
  RootSlot.TaskCn,
  TaskSlot.ProcessManager,
);
/** The identity of this domain. */
export const TASK_DOMAIN: Capref<'Domain'> = capref(RootSlot.TaskCn, TaskSlot.DomainId);
/** Root of the domain's own page tables. */
export const PAGE_ROOT: Capref<VNodeTypeName> = capref(RootSlot.PageCn, 0);
