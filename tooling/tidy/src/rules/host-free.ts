/**
 * Below apps nothing reads the host's clock, its random numbers or its event loop: the same seed
 * is the same run. (`console`, timers and `process` do not even type-check there.)
 */
import { type Node, Visitor } from 'oxc-parser';
import { type Finding, findingAt, type Source } from '../source.ts';

export function hostFree(source: Source): Finding[] {
  if (!source.isHostFree) return [];
  const findings: Finding[] = [];
  const report = (node: Node, what: string): void => {
    findings.push(findingAt(source, node.start, 'host-free', `${what} below apps`));
  };
  const names = new Set<Node>(); // identifiers that name a member, not a global
  const checkFunction = (node: Node & { async: boolean }): void => {
    if (node.async && !source.isTest) report(node, 'an async function');
  };
  new Visitor({
    MemberExpression(node) {
      if (!node.computed) names.add(node.property);
      const isRandom = /^Math\s*\.\s*random$/.test(source.text.slice(node.start, node.end));
      if (isRandom) report(node, '`Math.random`');
    },
    Property: ({ key }) => void names.add(key),
    Identifier(node) {
      if (names.has(node)) return;
      if (node.name === 'Date') report(node, '`Date`');
      if (node.name === 'Promise' && !source.isTest) report(node, '`Promise`');
    },
    AwaitExpression(node) {
      if (!source.isTest) report(node, '`await`');
    },
    FunctionDeclaration: checkFunction,
    FunctionExpression: checkFunction,
    ArrowFunctionExpression: checkFunction,
  }).visit(source.program);
  return findings;
}
