/** Node entry: runs one command and ends with its exit code. */
import { endWith } from './cli/ending.ts';
import { processIo } from './cli/io.ts';
import { program } from './cli/program.ts';

endWith(program(processIo(), process.argv.slice(2)));
