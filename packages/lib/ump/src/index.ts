/** Channels between cores: rings in shared memory, and a transport of calls over them. */

export type { CapCourier } from './cap-courier.ts';
export { createDomainPoller, createRungPoller } from './domain-poller.ts';
export { Doorbell, ENDED, POLL_BUDGET, receive, send } from './doorbell.ts';
export {
  type EndOptions,
  type EndPosition,
  UmpEnd,
  type UmpSide,
  umpChannelBytes,
  umpClosedOffset,
  umpSlotsIn,
} from './end.ts';
export { type Polled, type PollerOptions, UmpPoller } from './poller.ts';
export { NOTHING, UmpReceiver } from './receiver.ts';
export type { RingDoorbell, RingOptions, RingPosition, UmpMode } from './ring.ts';
export { UmpSender } from './sender.ts';
export { UmpTransport } from './transport.ts';
export { MappedWords, SharedWords, type Words } from './words.ts';
