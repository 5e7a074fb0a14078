import type { HealthReport } from '../../../diagnostics/index.ts';
import type { CommandRun } from '../cli-context.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { formatAgo, formatFields, formatTable } from '../format.ts';
import { withTarget } from '../open-target.ts';

export async function health(run: CommandRun): Promise<ExitCode> {
  const report = await withTarget(run, { running: true }, (target) => target.health());
  await run.output.answer(report, healthText(report, run.context.clock.now()));
  return report.isHealthy ? EXIT.ok : EXIT.no;
}

function healthText(report: HealthReport, nowMs: number): string {
  const word = (isHealthy: boolean): string => (isHealthy ? 'healthy' : 'NOT HEALTHY');
  const fields: [string, string][] = [
    ['Node', word(report.isHealthy)],
    ['Database', word(report.databaseHealthy)],
    ['Network', word(report.networkHealthy)],
    ['Peers', `${report.connectedPeers} connected`],
    ['Last sync', formatAgo(report.lastSyncTime, nowMs)],
  ];
  const states = { healthy: 'ok', degraded: 'DEGRADED', unhealthy: 'FAILED' } as const;
  const rows = report.checks.map(({ name, state, message }) => [states[state], name, message]);
  const checks = rows.length === 0 ? [] : ['', formatTable(['CHECK', 'NAME', 'FOUND'], rows)];
  return [formatFields(fields), ...checks, ...report.errors.map((error) => `! ${error}`)].join('\n');
}
