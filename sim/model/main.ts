// `node sim/model/main.ts explore [schedules] [steps] [first seed]` explores the rules. `mutants [schedules]` breaks one
// rule at a time. `attacks [schedules] [steps] [first seed] [part of a name]` runs the directed attacks. Exits with 1 if
// anything was wrong.
import { attack } from './attack-world.ts';
import { REFUTED, SOUND, searchAttack } from './attacks.ts';
import { search } from './explore.ts';
import { RULES } from './replication-model.ts';

const [command = 'explore', ...numbers] = process.argv.slice(2);
const [count = 20_000, steps = 60, first = 0] = numbers.slice(0, 3).map(Number);
const part = numbers[3] ?? '';

const commands: Readonly<Record<string, () => boolean>> = {
  explore: () => {
    const found = search(first, count, steps);
    console.log(found ?? `${count} schedules of ${steps} steps: converged, no zombie, nothing lost`);
    return found === null;
  },
  mutants: () => {
    const missed = Object.keys(RULES).filter((rule) => {
      const found = search(first, count, steps, { ...RULES, [rule]: false });
      console.log(`without ${rule}: ${found ? `seed ${found.seed}, ${found.kind}` : `nothing in ${count} schedules`}`);
      return found === null && rule !== 'dropBreaksLine';
    });
    return missed.length === 0;
  },
  attacks: () => {
    const broken = SOUND.filter(({ name }) => name.includes(part)).filter(({ name, options }) => {
      const found = searchAttack(options, first, count, steps);
      console.log(
        `sound: ${name}: ${found ? `seed ${found.seed}, ${found.harm.join(', ')}` : `${count} schedules clean`}`,
      );
      return found !== null;
    });
    const missed = REFUTED.filter(({ name, options, seed, steps: knownSteps = 60 }) => {
      const { harm } = attack(seed, knownSteps, options);
      console.log(`refuted: ${name}: seed ${seed}, ${harm.join(', ') || 'NO HARM'}`);
      return harm.length === 0;
    });
    return broken.length + missed.length === 0;
  },
};

const run = commands[command];
if (!run) {
  console.error(`unknown command ${command}; there are ${Object.keys(commands).join(', ')}`);
  process.exit(2);
}
process.exit(run() ? 0 : 1);
