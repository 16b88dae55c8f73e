/** An FTP server on the loopback that does what a real one does only in a bad hour; see test/system/transfers.test.ts for real ones. */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Loopback } from './loopback-server.ts';

export interface Behaviour {
  readonly files?: Readonly<Record<string, Buffer>>;
  readonly directories?: readonly string[];
  /** Undefined: MDTM is not known. */
  readonly date?: string | undefined;
  /** What is answered instead of what is done, by verb. */
  readonly says?: Readonly<Record<string, string>>;
  /** Sends so many bytes only. */
  readonly sendsOnly?: number;
  /** Ends the transfer so; the default is `226 Done`. `hangs up` closes the control connection, `nothing` leaves everything as it is. */
  readonly ends?: string;
  /** Cuts the data connection after the first bytes of an upload. */
  readonly cutsUploads?: boolean;
  /** Of PASV; the default is the right one. */
  readonly passiveAddress?: string;
  /** In active mode: says 150 before it dials. */
  readonly repliesFirst?: boolean;
  /** In active mode: called with the port that we wait on, before the server dials. */
  readonly beforeDialling?: (port: number) => Promise<unknown>;
}

export class FtpPuppet {
  /** What has been asked, as it came. */
  readonly commands: string[] = [];
  readonly received = new Map<string, Buffer>();
  behaviour: Behaviour;
  readonly #loopback: Loopback;
  #data: (() => Promise<Socket>) | undefined;
  #restart = 0;

  private constructor(loopback: Loopback, behaviour: Behaviour) {
    this.#loopback = loopback;
    this.behaviour = behaviour;
  }

  /** Resolves with the puppet and its `127.0.0.1:port`. */
  static async start(
    loopback: Loopback,
    behaviour: Behaviour,
  ): Promise<{ readonly puppet: FtpPuppet; readonly host: string }> {
    const puppet = new FtpPuppet(loopback, behaviour);
    const port = await loopback.tcp((control) => puppet.#serve(control));
    return { puppet, host: `127.0.0.1:${port}` };
  }

  /** The verbs only. */
  get verbs(): readonly string[] {
    return this.commands.map((command) => command.split(' ')[0] ?? '');
  }

  #serve(control: Socket): void {
    control.write('220 Ready\r\n');
    let partial = '';
    control.on('data', (chunk) => {
      const lines = `${partial}${chunk}`.split('\r\n');
      partial = lines.pop() ?? '';
      for (const line of lines) void this.#answer(control, line);
    });
  }

  async #answer(control: Socket, line: string): Promise<void> {
    this.commands.push(line);
    const [, verb = '', argument = ''] = /^(\S+) ?(.*)$/.exec(line) ?? [];
    const said = this.behaviour.says?.[verb];
    if (said === undefined && (verb === 'RETR' || verb === 'STOR')) return this.#transfer(control, verb, argument);
    control.write(`${said ?? (await this.#reply(verb, argument))}\r\n`);
  }

  async #reply(verb: string, argument: string): Promise<string> {
    const { files = {}, directories = [], date, passiveAddress = '127.0.0.1' } = this.behaviour;
    const size = this.received.get(argument)?.length ?? files[argument]?.length;
    switch (verb) {
      case 'USER':
        return '331 Password, please';
      case 'PASS':
        return '230 Welcome';
      case 'FEAT':
      case 'AUTH':
        return '500 What?';
      case 'SIZE':
        return size === undefined ? '550 No such file' : `213 ${size}`;
      case 'MDTM':
        return date === undefined ? '502 What?' : `213 ${date}`;
      case 'CWD':
        return directories.includes(argument) ? '250 There' : '550 No such directory';
      case 'REST':
        this.#restart = Number(argument);
        return '350 From there';
      case 'EPSV':
        return `229 Waiting (|||${await this.#wait()}|)`;
      case 'PASV': {
        const port = await this.#wait();
        return `227 Waiting (${[...passiveAddress.split('.'), port >> 8, port & 255].join(',')})`;
      }
      case 'PORT': {
        const numbers = argument.split(',').map(Number);
        const port = (numbers[4] ?? 0) * 256 + (numbers[5] ?? 0);
        this.#data = async () => {
          await this.behaviour.beforeDialling?.(port);
          const socket = connect({ host: numbers.slice(0, 4).join('.'), port });
          await once(socket, 'connect');
          return socket;
        };
        return '200 I shall dial';
      }
      default:
        return '200 Fine';
    }
  }

  async #wait(): Promise<number> {
    let arrive = (_socket: Socket): void => {};
    const arrived = new Promise<Socket>((resolve) => {
      arrive = resolve;
    });
    this.#data = () => arrived;
    return this.#loopback.tcp((socket) => arrive(socket));
  }

  async #transfer(control: Socket, verb: string, name: string): Promise<void> {
    const { files = {}, repliesFirst = true, sendsOnly, ends = '226 Done' } = this.behaviour;
    if (verb === 'RETR' && files[name] === undefined) return void control.write('550 No such file\r\n');
    if (repliesFirst) control.write('150 Here it comes\r\n');
    const data = await this.#data?.();
    if (!repliesFirst) control.write('150 Here it comes\r\n');
    if (data === undefined) throw new Error('no data connection was made');
    if (verb === 'RETR') {
      data.write((files[name] ?? Buffer.alloc(0)).subarray(this.#restart, sendsOnly));
      this.#restart = 0;
      if (ends === 'nothing') return;
      data.end();
    } else {
      const chunks: Buffer[] = [];
      for await (const chunk of data) {
        chunks.push(chunk as Buffer);
        if (this.behaviour.cutsUploads) break;
      }
      this.received.set(name, Buffer.concat(chunks).subarray(0, sendsOnly));
    }
    // The client has seen the end of the data by then.
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (ends === 'hangs up') control.destroy();
    else control.write(`${ends}\r\n`);
  }
}
