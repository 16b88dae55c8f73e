/** `chargepoint` from the sources, as a process of its own. argv: the script that the installation is found from, then the command. */
import { processIo } from '../../../src/cli/io.ts';
import { program } from '../../../src/cli/program.ts';

const [script = '', ...argv] = process.argv.slice(2);
process.exitCode = await program({ ...processIo(), script }, argv);
