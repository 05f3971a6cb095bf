/**
 * Calls that wait for their replies, found by the token that the reply repeats. A token is a place
 * in the table and how often that place was used, so an old reply finds nobody.
 */

import { type Errval, OK } from '@barreleye/core';
import type { Attempt } from './attempt.ts';
import type { FieldType } from './field.ts';

/** Calls that can wait at once on one binding. */
export const MAX_PENDING_CALLS = 256;

/** A place in the table; used again and again. */
export interface PendingCall {
  token: number;
  isInUse: boolean;
  /** How the reply is read. */
  reply: FieldType<unknown>;
  /** Set by whoever receives. */
  isDone: boolean;
  err: Errval;
  message: string;
  value: unknown;
  /** The thread that waits while another receives. */
  thread: object | undefined;
  /** Of a call with a deadline. */
  attempt: Attempt | undefined;
}

export class PendingCalls {
  private readonly places: PendingCall[];
  private readonly free: number[];

  constructor() {
    this.places = [];
    this.free = [];
  }

  /** A new call; undefined when there are too many. */
  add(reply: FieldType<unknown>, attempt?: Attempt): PendingCall | undefined {
    const call = this.freePlace(reply);
    if (call === undefined) return undefined;
    call.isInUse = true;
    call.reply = reply;
    call.isDone = false;
    call.err = OK;
    call.message = '';
    call.attempt = attempt;
    return call;
  }

  /** The caller has what it wanted, or wants it no more. */
  remove(call: PendingCall): void {
    this.free.push(placeOf(call.token));
    call.isInUse = false;
    call.value = undefined;
    call.thread = undefined;
    call.attempt = undefined;
    call.token = (call.token + MAX_PENDING_CALLS) >>> 0;
  }

  /** The call that a reply is for. */
  find(token: number): PendingCall | undefined {
    const call = this.places[placeOf(token)];
    return call?.isInUse && call.token === token && !call.isDone ? call : undefined;
  }

  /** A call whose thread waits. */
  anyWaiting(): PendingCall | undefined {
    return this.places.find(({ thread }) => thread !== undefined);
  }

  /** All calls that are not done. */
  all(): PendingCall[] {
    return this.places.filter(({ isInUse, isDone }) => isInUse && !isDone);
  }

  private freePlace(reply: FieldType<unknown>): PendingCall | undefined {
    const place = this.free.pop();
    if (place !== undefined) return this.places[place];
    if (this.places.length === MAX_PENDING_CALLS) return undefined;
    const call: PendingCall = {
      token: this.places.length,
      isInUse: false,
      reply,
      isDone: false,
      err: OK,
      message: '',
      value: undefined,
      thread: undefined,
      attempt: undefined,
    };
    this.places.push(call);
    return call;
  }
}

function placeOf(token: number): number {
  return token % MAX_PENDING_CALLS;
}
