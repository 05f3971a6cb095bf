/**
 * A send that was refused for the time being: the receiver's buffer is full, or it has no slot for
 * the capability. Nobody says when that is over, so the sender tries again each time it has been
 * without the core, and not before: only then can the receiver have done something about it.
 */

import { EventSource } from './event-source.ts';
import type { Events } from './events.ts';

export class SendRetry {
  /** Ready when it is worth another try. */
  readonly source: EventSource;
  private readonly events: Events;
  private refusedAt: number;

  constructor(events: Events, label: string) {
    this.events = events;
    this.refusedAt = -1;
    const isReady = (): boolean => events.entryCount !== this.refusedAt;
    this.source = new EventSource(events, { label, watch: 'poll', isReady });
  }

  /** Note that a send has just been refused. */
  refused(): void {
    this.refusedAt = this.events.entryCount;
  }
}
