/**
 * The words in front of a message on the wire. A message is a header of two words and a body; it
 * travels as fragments, each one message of the transport:
 *
 *   first fragment       header, body words
 *   each further one     a word that says so and where in the body it goes on, body words
 *
 * Capability `i` of a message comes with fragment `i`; there are as many fragments as both the body
 * and the capabilities need. The fragments of a message are not interleaved with those of another.
 */

/** What a message is: bits 0-3 of the first word of its first fragment. */
export const Kind = {
  Continue: 0, // not a message: a further fragment of one
  Bind: 1, //     client: which interface it speaks; answered like a call
  Call: 2, //     client: a method and its arguments; answered by Reply or Error
  Oneway: 3, //   client: a method and its arguments; not answered
  Reply: 4, //    server: the results of the call with that token
  Error: 5, //    server: why there are none
} as const;

/** Version of this layout, part of `Bind`. */
export const WIRE_VERSION = 1;

/** Words of the header of a message, and of that of a further fragment. */
export const HEADER_WORDS = 2;
export const CONTINUE_WORDS = 1;

/** Limits that the fields of the header set. */
export const MAX_MESSAGE_CAPS = 15;
export const MAX_METHODS = 256;
export const MAX_BODY_WORDS = 0xffff;

/** First word: kind 0-3, capabilities 4-7, method 8-15, words of the body 16-31. */
export function headerWord(kind: number, capCount: number, method: number, words: number): number {
  return (kind | (capCount << 4) | (method << 8) | (words << 16)) >>> 0;
}

/** First word of a further fragment: kind 0-3, zeros, words of the body before it 16-31. */
export function continueWord(at: number): number {
  return (Kind.Continue | (at << 16)) >>> 0;
}

export function kindOf(word: number): number {
  return word & 0xf;
}

export function capCountOf(word: number): number {
  return (word >>> 4) & 0xf;
}

export function methodOf(word: number): number {
  return (word >>> 8) & 0xff;
}

export function bodyWordsOf(word: number): number {
  return word >>> 16;
}
