/** Node entry of dist/agent.cjs: `run` as a service starts it. What only a technician calls is not in that file and costs the agent nothing. */
import { endWith } from './cli/ending.ts';
import { processIo } from './cli/io.ts';
import { plainRun } from './cli/plain-run.ts';
import { run } from './cli/run.ts';

const config = plainRun(process.argv.slice(2));
if (config === undefined)
  throw new Error('dist/agent.cjs is for a plain `chargepoint run`: start dist/chargepoint.cjs');
endWith(run(processIo(), config));
