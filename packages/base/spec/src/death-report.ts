/**
 * What a CPU driver tells the endpoint that was given to it with `KernelCmd.Register`: which
 * dispatchers have died although nobody deleted them. Seven words:
 *
 *   0  `packReportHead`: message, reason, access, core of the domain's number
 *   1  number of the domain
 *   2  the hardware's code of a page fault; of another fault its `TrapKind`
 *   3  fault address low, 4 high
 *   5  program counter low, 6 high
 */

/** Messages of a CPU driver. */
export const MonitorMessage = { Death: 1 } as const;

/** Words of a death report. */
export const DEATH_REPORT_WORDS = 7;

/** Why a dispatcher is never run again. */
export const DeathReason = {
  PageFault: 1, //         nobody to tell of it
  PageFaultDisabled: 2, // likewise, or too many in a row
  Trap: 3, //              another fault, and nobody to tell of it
  TrapDisabled: 4, //      another fault while disabled
  NoEntry: 5, //           it does not say where it is to be entered
  Abort: 6, //             its program gave up, as `TrapKind.Abort` says
  Dismantled: 7, //        it lost its CSpace, its VSpace or its frame
} as const;
export type DeathReason = (typeof DeathReason)[keyof typeof DeathReason];

/** Word 0 of a report: four numbers of eight bits, the message lowest. */
export function packReportHead(
  message: number,
  reason: number,
  access: number,
  domainCore: number,
): number {
  return (message | (reason << 8) | (access << 16) | (domainCore << 24)) >>> 0;
}

export function reportMessage(head: number): number {
  return head & 0xff;
}

export function reportReason(head: number): number {
  return (head >>> 8) & 0xff;
}

/** `Access`. */
export function reportAccess(head: number): number {
  return (head >>> 16) & 0xff;
}

export function reportDomainCore(head: number): number {
  return head >>> 24;
}
