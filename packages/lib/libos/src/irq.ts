/** Interrupts for user mode: lines of a core as capabilities, delivered as messages. */

import { type Errval, errPush, fail, isOk, type Result, succeed } from '@barreleye/core';
import { Err, IrqDestCmd, IrqSrcCmd, IrqTableCmd, NotifyCmd } from '@barreleye/spec';
import { type Capref, holds, placeOf, type Slot } from './capref.ts';
import { answered, pushed, type Sys } from './sys.ts';

/** Get the right to receive interrupt line `line` of this core. */
export function irqAllocate(
  sys: Sys,
  slot: Slot,
  table: Capref<'IRQTable'>,
  line: number,
): Result<Capref<'IRQDest'>> {
  sys.begin(table, IrqTableCmd.AllocDestCap);
  sys.arg(line);
  sys.argPlace(placeOf(slot));
  const err = sys.call();
  return isOk(err) ? succeed(holds<'IRQDest'>(slot)) : fail(errPush(err, Err.LIB_ERR_IRQ_ALLOCATE));
}

/** Raise the line of `notify` on its core. @errors LIB_ERR_NOTIFY over the kernel's reason */
export function notifySend(sys: Sys, notify: Capref<'Notify_IPI'>): Errval {
  sys.begin(notify, NotifyCmd.Send);
  return pushed(sys.call(), Err.LIB_ERR_NOTIFY);
}

/** Have an interrupt delivered to `endpoint` as a message without words. */
export function irqConnect(
  sys: Sys,
  irq: Capref<'IRQDest'>,
  endpoint: Capref<'EndPointLMP'>,
): Errval {
  sys.begin(irq, IrqDestCmd.Connect);
  sys.arg(endpoint.cptr);
  sys.arg(endpoint.level);
  return pushed(sys.call(), Err.LIB_ERR_IRQ_CONNECT);
}

/** The line that the capability stands for. */
export function irqLine(sys: Sys, irq: Capref<'IRQDest'>): Result<number> {
  sys.begin(irq, IrqDestCmd.GetVector);
  return answered(sys, Err.LIB_ERR_CAP_IDENTIFY);
}

/** The core whose line it is. */
export function irqCore(sys: Sys, irq: Capref<'IRQDest'>): Result<number> {
  sys.begin(irq, IrqDestCmd.GetCpu);
  return answered(sys, Err.LIB_ERR_CAP_IDENTIFY);
}

/** First of the interrupt numbers that a source stands for. */
export function irqSourceStart(sys: Sys, source: Capref<'IRQSrc'>): Result<number> {
  sys.begin(source, IrqSrcCmd.GetVecStart);
  return answered(sys, Err.LIB_ERR_CAP_IDENTIFY);
}

/** Last of them. */
export function irqSourceEnd(sys: Sys, source: Capref<'IRQSrc'>): Result<number> {
  sys.begin(source, IrqSrcCmd.GetVecEnd);
  return answered(sys, Err.LIB_ERR_CAP_IDENTIFY);
}
