import { LIMITS } from '../../config/index.ts';
import { parseRegex, type RegexNode, type RegexOptions } from './parse-regex.ts';
import type { RegexProgram, RegexStep } from './program.ts';
import { RegexError } from './regex-error.ts';

/**
 * Compiles a pattern to a program by Thompson's construction (Communications of the ACM 11(6), 1968). Throws RegexError if
 * the pattern is wrong, uses a feature that takes more than linear time, or needs more than `regexStepsMax` steps.
 */
export function compileRegex(pattern: string, flags: string): RegexProgram {
  const options = parseFlags(flags);
  const compiler = new Compiler();
  compiler.node(parseRegex(pattern, options));
  compiler.add({ op: 'done' });
  return { steps: compiler.steps, ignoreCase: options.ignoreCase, multiline: options.multiline };
}

function parseFlags(flags: string): RegexOptions & { readonly ignoreCase: boolean; readonly multiline: boolean } {
  if (!/^[ims]*$/.test(flags) || new Set(flags).size !== flags.length) {
    throw new RegexError(`has the flags ${JSON.stringify(flags)}, of which only i, m and s are known, once each`);
  }
  return { ignoreCase: flags.includes('i'), multiline: flags.includes('m'), dotAll: flags.includes('s') };
}

class Compiler {
  readonly steps: RegexStep[] = [];

  add(step: RegexStep): number {
    if (this.steps.length >= LIMITS.regexStepsMax) {
      throw new RegexError(`needs more than ${LIMITS.regexStepsMax} steps (Limits.regexStepsMax); repeat less`);
    }
    return this.steps.push(step) - 1;
  }

  node(node: RegexNode): void {
    switch (node.kind) {
      case 'set':
        this.add({ op: 'set', ranges: node.ranges, isNegated: node.isNegated });
        return;
      case 'assert':
        this.add({ op: 'assert', what: node.what });
        return;
      case 'sequence':
        for (const part of node.parts) this.node(part);
        return;
      case 'either':
        this.#either(node.parts);
        return;
      case 'repeat':
        this.#repeat(node);
        return;
    }
    node satisfies never;
  }

  #either(parts: readonly RegexNode[]): void {
    const ends: number[] = [];
    for (const [i, part] of parts.entries()) {
      const isLast = i === parts.length - 1;
      const fork = isLast ? -1 : this.add({ op: 'done' });
      this.node(part);
      if (isLast) break;
      ends.push(this.add({ op: 'done' }));
      this.steps[fork] = { op: 'fork', to: fork + 1, or: this.steps.length };
    }
    for (const end of ends) this.steps[end] = { op: 'jump', to: this.steps.length };
  }

  #repeat({ part, min, max }: RegexNode & { kind: 'repeat' }): void {
    for (let i = 0; i < min; i++) this.node(part);
    if (max === Number.POSITIVE_INFINITY) {
      const fork = this.add({ op: 'done' });
      this.node(part);
      this.add({ op: 'jump', to: fork });
      this.steps[fork] = { op: 'fork', to: fork + 1, or: this.steps.length };
      return;
    }
    const forks: number[] = [];
    for (let i = min; i < max; i++) {
      forks.push(this.add({ op: 'done' }));
      this.node(part);
    }
    for (const fork of forks) this.steps[fork] = { op: 'fork', to: fork + 1, or: this.steps.length };
  }
}
