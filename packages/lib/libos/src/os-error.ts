/** What programs catch: errors of the system as exceptions, for people who write ten lines. */

import { type Errval, hex, isOk, OK, type Result } from '@barreleye/core';
import { Access, describeError, Err } from '@barreleye/spec';

/** A failed operation; `errval` is the whole stack of causes. */
export class OsError extends Error {
  override readonly name: string = 'OsError';
  readonly errval: Errval;

  constructor(errval: Errval) {
    super(describeError(errval));
    this.errval = errval;
  }
}

/** An access of a thread that its page tables did not allow. */
export interface PageFault {
  readonly address: number;
  /** spec `Access`: 0 read, 1 write, 2 execute. */
  readonly access: number;
  /** The code as the hardware reports it. */
  readonly code: number;
}

/** A thread touched an address that is not mapped with the access it tried. */
export class PageFaultError extends Error implements PageFault {
  override readonly name: string = 'PageFaultError';
  readonly address: number;
  readonly access: number;
  readonly code: number;
  /** Why the domain's page-fault handler did not serve it; OK when there is none. */
  readonly reason: Errval;

  constructor({ address, access, code }: PageFault, reason: Errval = OK) {
    const what = `page fault: ${accessName(access)} at ${hex(address)} (code ${hex(code)})`;
    super(isPlain(reason) ? what : `${what}: ${describeError(reason)}`);
    this.address = address;
    this.access = access;
    this.code = code;
    this.reason = reason;
  }
}

/** A fault that no mapping could serve: nothing answers at the physical address, or worse. */
export class BusError extends Error {
  override readonly name: string = 'BusError';
}

/** The value, or an exception that says why there is none. */
export function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new OsError(result.err);
  return result.value;
}

/** Whether there is no more to say than that nothing is mapped. */
function isPlain(reason: Errval): boolean {
  return isOk(reason) || reason === Err.LIB_ERR_PAGE_FAULT_NO_REGION;
}

/** spec `Access`, for people. */
export function accessName(access: number): string {
  if (access === Access.Write) return 'write';
  return access === Access.Execute ? 'execute' : 'read';
}
