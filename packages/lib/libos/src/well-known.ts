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
/** Root of the domain's own page tables. */
export const PAGE_ROOT: Capref<VNodeTypeName> = capref(RootSlot.PageCn, 0);
