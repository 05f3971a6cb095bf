/** Channels between domains of one core: a transport of calls over LMP endpoints. */

export { type ChannelOptions, LmpChannel } from './channel.ts';
export { channelPair, connect } from './connect.ts';
export { type Announcement, announce } from './hello.ts';
export { Invitation } from './invitation.ts';
export { type ListenerOptions, LmpListener } from './listener.ts';
export { type Peer, PeerWatch } from './peer-watch.ts';
export { lmpSend } from './send.ts';
