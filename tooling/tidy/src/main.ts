/** Prints what tidy finds, one line each, and exits with 1 if there is anything. */
import { readWorkspace, tidy } from './tidy.ts';

const packages = readWorkspace();
const findings = tidy(packages);
for (const { path, line, rule, message } of findings) {
  console.log(`${path}:${line}: ${message} [${rule}]`);
}
const files = packages.reduce((count, { sources }) => count + sources.length, 0);
console.log(`tidy: ${files} files in ${packages.length} packages, ${findings.length} findings`);
process.exitCode = findings.length === 0 ? 0 : 1;
