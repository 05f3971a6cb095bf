/** Channels between domains of one core: a transport of calls over LMP endpoints. */

export { type ChannelOptions, LmpChannel, watchPeer } from './channel.ts';
export { channelPair, connect, LmpListener } from './connect.ts';
export { Invitation } from './invitation.ts';
export { lmpSend } from './send.ts';
