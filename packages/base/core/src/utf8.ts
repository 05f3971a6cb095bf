/**
 * UTF-8 to and from strings: hosts have this, code below the apps does not. Malformed bytes become
 * U+FFFD, each on its own. Source: The Unicode Standard 16.0, table 3-7.
 */

/** Bytes of a string; half a surrogate pair becomes U+FFFD. */
export function encodeUtf8(text: string): number[] {
  const bytes: number[] = [];
  for (const char of text.toWellFormed()) {
    const code = char.codePointAt(0) ?? 0;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >>> 6), tail(code));
    else if (code < 0x1_0000) bytes.push(0xe0 | (code >>> 12), tail(code >>> 6), tail(code));
    else bytes.push(0xf0 | (code >>> 18), tail(code >>> 12), tail(code >>> 6), tail(code));
  }
  return bytes;
}

/** The string that `bytes` spell. */
export function decodeUtf8(bytes: ArrayLike<number>): string {
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const lead = bytes[i] ?? 0;
    const length = sequenceLength(lead);
    let code = length === 1 ? lead : lead & (0x7f >>> length);
    let isGood = length > 0 && i + length <= bytes.length;
    for (let j = 1; isGood && j < length; j++) {
      const byte = bytes[i + j] ?? 0;
      isGood = isContinuation(byte);
      code = (code << 6) | (byte & 0x3f);
    }
    isGood &&= isScalar(code, length);
    text += isGood ? String.fromCodePoint(code) : '\ufffd';
    i += isGood ? length : 1;
  }
  return text;
}

/** Whether a byte continues a character that began earlier. */
export function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** Shortest form, not a surrogate, not beyond the end. */
function isScalar(code: number, length: number): boolean {
  const smallest = [0, 0, 0x80, 0x800, 0x1_0000][length] ?? 0;
  return code >= smallest && code <= 0x10_ffff && (code < 0xd800 || code > 0xdfff);
}

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

function tail(code: number): number {
  return 0x80 | (code & 0x3f);
}
