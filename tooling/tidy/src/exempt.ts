/**
 * Every exemption from a tidy rule, by name and with its reason. There is no other way to be
 * exempt: no comments in code switch a rule off.
 */
export interface Exemption {
  readonly rule: string;
  /** A file, or a folder if it ends in a slash. */
  readonly path: string;
  readonly why: string;
}

export const EXEMPTIONS: readonly Exemption[] = [];
