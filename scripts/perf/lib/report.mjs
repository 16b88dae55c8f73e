/** The table: on the terminal, as JSON, and as the page docs/performance.md. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';

export const machine = () => ({
  date: new Date().toISOString().slice(0, 10),
  command: 'npm run bench:perf',
  node: process.version,
  machine: `${process.arch}, ${cpus().length} x ${cpus()[0].model.trim()}, Linux ${release()}`,
  load: loadavg().map((load) => Number(load.toFixed(2))),
});

export const printed = ({ date, machine: what, node, load }) =>
  `${date}, ${what}, Node ${node}, load ${load.join(' ')}`;

const verdict = ({ checks }) => (checks.length === 0 ? '' : checks.every(({ met }) => met) ? 'met' : 'MISSED');
const number = (value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value);
const missed = ({ checks }) =>
  checks
    .filter(({ met }) => !met)
    .map(({ what, is, limit, relation }) =>
      is === undefined ? what : `${what} ${number(is)}, not ${relation} ${limit}`,
    )
    .join('; ');

export function print(row) {
  const { name, value, floor = '', ratio = '', goal, gate, note } = row;
  const beside = floor === '' ? '' : ` | floor ${floor}`;
  const compared = ratio === '' ? '' : ` | ${ratio}`;
  console.log(`${verdict(row).padEnd(7)}${gate ? '* ' : '  '}${name}: ${value}${beside}${compared} | goal ${goal}`);
  const reasons = [missed(row), note].filter((text) => text !== undefined && text !== '');
  if (reasons.length > 0) console.log(`${' '.repeat(9)}${reasons.join('; ')}`);
}

const cell = (text = '') => String(text).replaceAll('|', '\\|');

function page(run, rows) {
  const lines = rows.map((row) =>
    [
      row.gate ? `**${row.name}**` : row.name,
      row.value,
      row.floor,
      row.ratio,
      row.goal,
      verdict(row),
      [missed(row), row.note].filter((text) => text !== undefined && text !== '').join('; '),
    ]
      .map(cell)
      .join(' | '),
  );
  const floors = rows
    .filter(({ against }) => against !== undefined)
    .map(({ name, against }) => `- ${name}: ${against}`);
  return `# Performance

Written by \`${run.command}\`; do not edit. ${run.date}, ${run.machine}, Node ${run.node}; load average ${run.load.join(' ')} before and
${run.loadAfter.join(' ')} after. Goals are ratios against a floor that is measured in the same run, in turn with the thing itself; the
milliseconds show only the size on this machine. Latencies are p50 / p99 / max${
    rows.some(({ isRealtime }) => isRealtime) ? ', taken under `chrt -r 1`' : '; `chrt -r 1` was not permitted'
  }. No ARM here.
Rows in bold are gates: \`npm run bench:check\` fails if one of them is missed.

| row | value | floor | ratio | goal | | remark |
|---|---|---|---|---|---|---|
${lines.map((line) => `| ${line} |`).join('\n')}

## The floors
${floors.join('\n')}
`;
}

export function keep(root, run, rows) {
  const kept = rows.map(({ run: _, ...row }) => row);
  const json = join(root, 'docs/performance.json');
  writeFileSync(json, `${JSON.stringify({ ...run, rows: kept }, null, 2)}\n`);
  spawnSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', json], { cwd: root });
  writeFileSync(join(root, 'docs/performance.md'), page(run, rows));
}
