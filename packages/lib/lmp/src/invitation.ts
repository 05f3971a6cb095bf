/**
 * An endpoint at which one other domain is expected: it is given a capability when it is made, and
 * becomes the other end of a channel when it connects. Nobody else can.
 */

import type { Thread } from '@barreleye/libos';
import { type Capref, holds, type Os, type OwnEndpoint, type Wait } from '@barreleye/libos';
import { SendResult } from '@barreleye/rpc';
import { type ChannelOptions, LmpChannel } from './channel.ts';
import { createRing, HELLO } from './connect.ts';
import { armEndpoint, dropCap, endEndpoint } from './own-endpoint.ts';
import { lmpSend } from './send.ts';

export class Invitation {
  readonly label: string;
  readonly holder: undefined;
  private readonly os: Os;
  private readonly own: OwnEndpoint;
  private waiting: Thread | undefined;
  private state: 'open' | 'accepted' | 'withdrawn';

  constructor(os: Os) {
    this.label = 'a domain to connect';
    this.holder = undefined;
    this.os = os;
    this.own = createRing(os);
    this.waiting = undefined;
    this.state = 'open';
    armEndpoint(os, this.own);
  }

  /** What the other domain needs to connect: a capability to be copied to it. */
  get cap(): Capref<'EndPointLMP'> {
    return this.own.cap;
  }

  /** Wait until it connects; undefined when the invitation is withdrawn. One thread, once. */
  *accept(options: ChannelOptions = {}): Wait<LmpChannel | undefined> {
    const { os, own } = this;
    const into = new Uint32Array(os.arch.lmpWords);
    while (this.state === 'open') {
      const wordCount = own.buffer.tryReceiveInto(into);
      if (wordCount < 0) {
        this.waiting = os.currentThread;
        os.scheduler.block(this);
        own.buffer.received.whenReady(this);
        yield;
        continue;
      }
      const remote = own.buffer.receivedSlot;
      armEndpoint(os, own);
      if (remote === undefined) continue;
      if (wordCount === 1 && into[0] === HELLO && this.greet(holds<'EndPointLMP'>(remote))) {
        this.state = 'accepted';
        return new LmpChannel(os, own, holds<'EndPointLMP'>(remote), options);
      }
      dropCap(os, remote);
    }
    return undefined;
  }

  /** The other domain is no more, or is not wanted any more. */
  withdraw(): void {
    if (this.state !== 'open') return;
    this.state = 'withdrawn';
    this.own.buffer.received.deregister();
    this.ready();
    endEndpoint(this.os, this.own);
  }

  /** For the endpoint: there may be a message. */
  ready(): void {
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting !== undefined) this.os.scheduler.wake(waiting);
  }

  /** Answer; who waits for that has room for it. */
  private greet(remote: Capref<'EndPointLMP'>): boolean {
    const { os, own } = this;
    return lmpSend(os.sys, remote, Uint32Array.of(HELLO), 1, own.cap, false) === SendResult.Sent;
  }
}
