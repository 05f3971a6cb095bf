/**
 * Deaths that nobody asked for: the dispatcher is never run again, and the endpoint of the monitor
 * (`Kcb.monitorEp`) is told. What there is to tell stays in the DCB, and the DCB in a list, until
 * that endpoint has room for it: a death is reported once, in order, or not at all because whoever
 * holds the dispatcher has deleted it by then. Nothing is allocated for it.
 */

import { kill } from '@barreleye/caps';
import { assert, highWord, isOk, lowWord, type Ptr } from '@barreleye/core';
import {
  Dcb,
  DcbState,
  DEATH_REPORT_WORDS,
  type DeathReason,
  Kcb,
  MonitorMessage,
  NO_DCB,
  packReportHead,
} from '@barreleye/spec';
import { currentDcb } from './dcb.ts';
import type { Fault } from './fault.ts';
import type { Kernel } from './kernel.ts';
import { isHeard } from './listener.ts';
import { deliver } from './lmp.ts';
import { removeFromQueue } from './schedule.ts';
import { dropTask } from './task.ts';
import { cancelWakeup } from './wakeup.ts';

/** Never run `dcb` again. If it has the core, nobody has it now. */
export function stopDispatcher(k: Kernel, dcb: Ptr<'Dcb'>): void {
  cancelWakeup(k, dcb);
  removeFromQueue(k, dcb);
  dropTask(k, dcb);
  Dcb.state.set(k.mem, dcb, DcbState.Dead);
  if (currentDcb(k) === dcb) Kcb.current.set(k.mem, k.kcb, NO_DCB);
}

/** Stop `dcb`, and have it reported if it has ever been started. */
export function die(k: Kernel, dcb: Ptr<'Dcb'>, reason: DeathReason, fault: Readonly<Fault>): void {
  const { mem } = k;
  const state = Dcb.state.get(mem, dcb);
  const isStarted = state === DcbState.Runnable || state === DcbState.Blocked;
  stopDispatcher(k, dcb);
  if (!isStarted) return;
  Dcb.deathReason.set(mem, dcb, reason);
  Dcb.deathAccess.set(mem, dcb, fault.access);
  Dcb.deathCode.set(mem, dcb, fault.code);
  Dcb.deathAddress.set(mem, dcb, 0, lowWord(fault.address));
  Dcb.deathAddress.set(mem, dcb, 1, highWord(fault.address));
  Dcb.deathPc.set(mem, dcb, 0, lowWord(fault.pc));
  Dcb.deathPc.set(mem, dcb, 1, highWord(fault.pc));
  appendDeath(k, dcb);
}

/** Whoever held `dcb` deleted it: there is nobody to tell of any more. */
export function forgetDeath(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem, kcb } = k;
  if (Dcb.isDeathDue.get(mem, dcb) === 0) return;
  const next = Dcb.deathNext.get(mem, dcb);
  const prev = Dcb.deathPrev.get(mem, dcb);
  if (prev === NO_DCB) Kcb.deaths.set(mem, kcb, next);
  else Dcb.deathNext.set(mem, prev, next);
  if (next === NO_DCB) Kcb.lastDeath.set(mem, kcb, prev);
  else Dcb.deathPrev.set(mem, next, prev);
  Dcb.deathNext.set(mem, dcb, NO_DCB);
  Dcb.deathPrev.set(mem, dcb, NO_DCB);
  Dcb.isDeathDue.set(mem, dcb, 0);
}

/** Report as many deaths as the endpoint of the monitor, if there is one, has room for. */
export function reportDeaths(k: Kernel): void {
  const { mem, kcb } = k;
  const endpoint = Kcb.monitorEp.at(kcb);
  for (;;) {
    const dcb = Kcb.deaths.get(mem, kcb);
    if (dcb === NO_DCB) return;
    if (!isHeard(k, endpoint)) {
      kill(k.caps, endpoint);
      return;
    }
    loadReport(k, dcb);
    if (!isOk(deliver(k, endpoint, k.args, DEATH_REPORT_WORDS))) return;
    forgetDeath(k, dcb);
  }
}

/** The words of a report, in the place of arguments: nobody needs those any more. */
function loadReport(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem, args } = k;
  const reason = Dcb.deathReason.get(mem, dcb);
  const access = Dcb.deathAccess.get(mem, dcb);
  const core = Dcb.domainCore.get(mem, dcb);
  args[0] = packReportHead(MonitorMessage.Death, reason, access, core);
  args[1] = Dcb.domainId.get(mem, dcb);
  args[2] = Dcb.deathCode.get(mem, dcb);
  args[3] = Dcb.deathAddress.get(mem, dcb, 0);
  args[4] = Dcb.deathAddress.get(mem, dcb, 1);
  args[5] = Dcb.deathPc.get(mem, dcb, 0);
  args[6] = Dcb.deathPc.get(mem, dcb, 1);
}

function appendDeath(k: Kernel, dcb: Ptr<'Dcb'>): void {
  const { mem, kcb } = k;
  assert(Dcb.isDeathDue.get(mem, dcb) === 0, 'a dispatcher dies once');
  const last = Kcb.lastDeath.get(mem, kcb);
  if (last === NO_DCB) Kcb.deaths.set(mem, kcb, dcb);
  else Dcb.deathNext.set(mem, last, dcb);
  Dcb.deathPrev.set(mem, dcb, last);
  Kcb.lastDeath.set(mem, kcb, dcb);
  Dcb.isDeathDue.set(mem, dcb, 1);
}
