/** Carries the capabilities of a channel between cores: through the monitors of both. */

import {
  type Capref,
  capCopy,
  capIdentify,
  holds,
  type Os,
  OsError,
  type Wait,
} from '@barreleye/libos';
import { SendResult } from '@barreleye/rpc';
import { type CopyableTypeName, capTypeInfo, ObjType } from '@barreleye/spec';
import type { CapCourier } from '@barreleye/ump';
import type { SystemClient } from './interfaces/system.ts';

/** Numbers of messages, from 1 on; 0 is for messages without a capability. */
const LAST_NUMBER = 2 ** 31 - 1;

export class FarCourier implements CapCourier {
  private readonly os: Os;
  private readonly system: SystemClient;
  private readonly channel: number;
  private readonly arrived: Map<number, Capref | 'lost'>;
  private readonly awaited: Set<number>;
  private isClosed: boolean;
  private last: number;

  constructor(os: Os, system: SystemClient, channel: number) {
    this.os = os;
    this.system = system;
    this.channel = channel;
    this.arrived = new Map();
    this.awaited = new Set();
    this.isClosed = false;
    this.last = 0;
  }

  send(cap: Capref): number {
    const { os } = this;
    const identity = capIdentify(os.sys, cap);
    if (!identity.ok) return -SendResult.CapInvalid;
    const { type, bytes } = identity.value;
    if (!capTypeInfo(ObjType[type]).sendable || bytes > 0) return -SendResult.CapInvalid;
    const slot = os.slots.alloc();
    if (!slot.ok) return -SendResult.Busy;
    const copy = capCopy(os.sys, slot.value, holds<CopyableTypeName>(cap));
    if (!copy.ok) {
      os.check(os.slots.free(slot.value));
      return -SendResult.CapInvalid;
    }
    this.last = this.last === LAST_NUMBER ? 1 : this.last + 1;
    const body = this.ship(copy.value, this.last);
    os.spawnThread('sends a capability', body, { isDaemon: true });
    return this.last;
  }

  take(number: number, arrived: () => void): Capref | 'lost' | undefined {
    const cap = this.arrived.get(number);
    if (cap !== undefined) {
      this.arrived.delete(number);
      return cap;
    }
    if (this.awaited.has(number)) return undefined;
    this.awaited.add(number);
    const body = this.fetch(number, arrived);
    this.os.spawnThread('awaits a capability', body, { isDaemon: true });
    return undefined;
  }

  drop(cap: Capref): void {
    this.os.drop(cap);
  }

  /** Nobody takes any more. */
  close(): void {
    this.isClosed = true;
    for (const cap of this.arrived.values()) if (cap !== 'lost') this.os.drop(cap);
    this.arrived.clear();
  }

  private *ship(cap: Capref, number: number): Wait<void> {
    try {
      yield* this.system.sendCap({ channel: this.channel, number, cap: holds<'Null'>(cap) });
    } catch (error) {
      if (!(error instanceof OsError)) throw error; // the other side has heard it
    } finally {
      this.os.drop(cap);
    }
  }

  private *fetch(number: number, arrived: () => void): Wait<void> {
    let cap: Capref | 'lost' = 'lost';
    try {
      ({ cap } = yield* this.system.takeCap({ channel: this.channel, number }));
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
    }
    this.awaited.delete(number);
    if (!this.isClosed) this.arrived.set(number, cap);
    else if (cap !== 'lost') this.os.drop(cap);
    arrived();
  }
}
