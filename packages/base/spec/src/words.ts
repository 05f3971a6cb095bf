/**
 * Small numbers that share a 32-bit argument word. Each way of packing them is said once, for who
 * writes the words and for who reads them. What does not fit its bits runs into its neighbour: it
 * is the reader of a word who must not trust it.
 */

/**
 * Word 1 of an invocation: command, level of the capability address, send flags and message length,
 * eight bits each, the command lowest.
 */
export function invokeHeader(command: number, level: number, flags = 0, length = 0): number {
  return (command | (level << 8) | (flags << 16) | (length << 24)) >>> 0;
}

export function headerCommand(header: number): number {
  return header & 0xff;
}

export function headerLevel(header: number): number {
  return (header >>> 8) & 0xff;
}

/** `LmpFlag` bits. */
export function headerFlags(header: number): number {
  return (header >>> 16) & 0xff;
}

/** Words of the message. */
export function headerLength(header: number): number {
  return header >>> 24;
}

/** Where a capability is to go: index of the slot, 24 bits; above it the level of its CNode. */
export function packPlace(slot: number, cnodeLevel: number): number {
  return (slot | (cnodeLevel << 24)) >>> 0;
}

export function placeSlot(place: number): number {
  return place & 0xff_ffff;
}

export function placeLevel(place: number): number {
  return place >>> 24;
}

/** Two numbers of 16 bits, the first lowest. */
export function packHalves(low: number, high: number): number {
  return (low | (high << 16)) >>> 0;
}

export function lowHalf(word: number): number {
  return word & 0xffff;
}

export function highHalf(word: number): number {
  return word >>> 16;
}

/** What a capability is: type and rights, eight bits each; above them the interface type. */
export function packCapHead(type: number, rights: number, iftype: number): number {
  return (type | (rights << 8) | (iftype << 16)) >>> 0;
}

export function capHeadType(head: number): number {
  return head & 0xff;
}

export function capHeadRights(head: number): number {
  return (head >>> 8) & 0xff;
}

export function capHeadIftype(head: number): number {
  return head >>> 16;
}
