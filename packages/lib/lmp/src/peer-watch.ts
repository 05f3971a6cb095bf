/**
 * Whom a domain depends on at the other ends of its channels. A domain that is ended says nothing,
 * and nobody polls: when this domain is told that some other has ended, it calls `checkAll`.
 */

/** Something with another domain at its other end. */
export interface Peer {
  /** Look whether the other domain can still be reached, and tell those who wait if not. */
  checkPeer(): void;
}

export class PeerWatch {
  private readonly peers: Set<Peer>;

  constructor() {
    this.peers = new Set();
  }

  /** Channels, and attempts to connect, that are watched. */
  get size(): number {
    return this.peers.size;
  }

  /** Watch `peer`. It is looked at once, because its end may have been told already. */
  add(peer: Peer): void {
    this.peers.add(peer);
    peer.checkPeer();
  }

  delete(peer: Peer): void {
    this.peers.delete(peer);
  }

  /** Some domain has ended: find out whose peer it was. */
  checkAll(): void {
    for (const peer of [...this.peers]) peer.checkPeer();
  }
}
