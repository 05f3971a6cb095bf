/** What the dispatchers of a domain that spans cores ask each other. */

import { array, call, defineInterface, i32, string, u32, u64 } from '@barreleye/rpc';

/** Longest name of a function, bytes of UTF-8, and most of its arguments. */
const MAX_FUNCTION_BYTES = 48;
const MAX_ARGS = 8;
/** Longest report of a failure, likewise. */
const MAX_REPORT_BYTES = 1024;
/** Calls that wait at once: for threads to be joined, above all. */
export const MAX_WAITING_CALLS = 64;

/** Far dispatchers serve this. */
export const FarService = defineInterface('far', {
  /** Start a thread. @errors LIB_ERR_NO_FUNCTION */
  start: call({ name: string(MAX_FUNCTION_BYTES), args: array(u64, MAX_ARGS) }, { thread: u32 }),
  /** Wait until a thread has ended. Once for each. @errors LIB_ERR_THREAD_DETACHED */
  join: call({ thread: u32 }, { value: i32 }),
});

/** The home serves this. */
export const HomeService = defineInterface('home', {
  /** Serve a page fault. `err` is OK when the access can be tried again. */
  serveFault: call({ address: u64, access: u32 }, { err: u64 }),
  /** A thread has died of what nobody catches: the domain is to end. */
  failed: call({ report: string(MAX_REPORT_BYTES) }, {}),
});

/** As much of a report as can be said. */
export function shortReport(text: string): string {
  return text.slice(0, MAX_REPORT_BYTES / 4); // four bytes a character at most
}
