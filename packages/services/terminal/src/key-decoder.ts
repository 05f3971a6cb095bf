/**
 * From bytes to keys. Characters and escape sequences may arrive in pieces, so what has begun is
 * kept. A control character is never part of either: it ends what has begun and means itself.
 */

import { decodeUtf8, isContinuation } from '@barreleye/core';
import { isShowable } from './cell.ts';
import { CONTROL_KEYS, charKey, ESCAPE_KEYS, type Key } from './key.ts';

const ESCAPE = 0x1b;
const RETURN = 0x0d;
const LINE_FEED = 0x0a;
/** More of an escape sequence is skipped, but not kept: no key has one as long. */
const MAX_SEQUENCE_CHARS = 8;

export class KeyDecoder {
  /** Bytes of a character that is not whole yet, and how many it will have. */
  private character: number[];
  private characterBytes: number;
  /** What has come of an escape sequence, behind the escape character. */
  private sequence: string | undefined;
  private lastWasReturn: boolean;

  constructor() {
    this.character = [];
    this.characterBytes = 0;
    this.sequence = undefined;
    this.lastWasReturn = false;
  }

  /** The keys that `byte` ends: none, one, or more where it shows that something is malformed. */
  decode(byte: number): Key[] {
    if (this.character.length > 0 && isContinuation(byte)) {
      this.character.push(byte);
      return this.character.length === this.characterBytes ? this.endCharacter() : [];
    }
    const keys = this.endCharacter(); // what was cut off
    const key = this.decodeFirst(byte);
    if (key !== undefined) keys.push(key);
    return keys;
  }

  /** A byte that continues no character. */
  private decodeFirst(byte: number): Key | undefined {
    const followsReturn = this.lastWasReturn;
    this.lastWasReturn = byte === RETURN;
    if (byte === ESCAPE) {
      this.sequence = '';
      return undefined;
    }
    const isSequence = this.sequence !== undefined && byte >= 0x20 && byte < 0x80;
    if (isSequence) return this.decodeSequence(String.fromCharCode(byte));
    this.sequence = undefined;
    if (byte === LINE_FEED && followsReturn) return undefined; // CR LF is one Return
    if (byte < 0x20 || byte === 0x7f) return CONTROL_KEYS.get(byte);
    this.characterBytes = characterBytes(byte);
    if (this.characterBytes === 1) return charKey(decodeUtf8([byte]));
    this.character.push(byte);
    return undefined;
  }

  /** The next character of an escape sequence. Source: ECMA-48, 5.4. */
  private decodeSequence(char: string): Key | undefined {
    const { sequence = '' } = this;
    const isIntroducer = sequence === '' && (char === '[' || char === 'O');
    const isParameter = sequence !== '' && char < '@';
    // The Linux console sends ESC [ [ A for F1.
    if (isIntroducer || isParameter || (sequence === '[' && char === '[')) {
      if (sequence.length < MAX_SEQUENCE_CHARS) this.sequence = sequence + char;
      return undefined;
    }
    this.sequence = undefined;
    return ESCAPE_KEYS.get(sequence + char);
  }

  /** The characters that the bytes so far are; each malformed byte is U+FFFD. */
  private endCharacter(): Key[] {
    const { character } = this;
    if (character.length === 0) return [];
    this.character = [];
    return [...decodeUtf8(character)].filter(isShowable).map(charKey);
  }
}

/** Bytes of the character that begins with `lead`. Source: The Unicode Standard 16.0, table 3-7. */
function characterBytes(lead: number): number {
  if (lead < 0xc2 || lead > 0xf4) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}
