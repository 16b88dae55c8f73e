/** A tar archive as a stream of blocks (POSIX.1-1988 ustar): regular files only. */

const BLOCK = 512;
const LONGEST_NAME = 100;
const LONGEST_FOLDER = 155;

export interface TarFile {
  /** With its folders; at most 100 bytes, or 155 up to some slash and 100 after it. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** `wall` is epoch milliseconds: the time of every file in it. */
export async function* tar(files: AsyncIterable<TarFile>, wall: number): AsyncGenerator<Uint8Array> {
  for await (const { name, content } of files) {
    yield header(name, content.length, wall);
    yield content;
    const rest = content.length % BLOCK;
    if (rest > 0) yield new Uint8Array(BLOCK - rest);
  }
  yield new Uint8Array(2 * BLOCK);
}

function header(name: string, size: number, wall: number): Uint8Array {
  const { folder, rest } = split(name);
  const block = Buffer.alloc(BLOCK);
  const put = (offset: number, text: string): void => void block.write(text, offset, 'utf8');
  const octal = (offset: number, digits: number, value: number): void =>
    put(offset, `${value.toString(8).padStart(digits, '0')}\0`);
  put(0, rest);
  octal(100, 7, 0o600);
  octal(108, 7, 0);
  octal(116, 7, 0);
  octal(124, 11, size);
  octal(136, 11, Math.max(0, Math.floor(wall / 1000)));
  // The checksum counts its own field as blanks.
  put(148, ' '.repeat(8));
  put(156, '0');
  put(257, 'ustar\x0000');
  put(345, folder);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}

/** A long name is in two fields, the slash between them in neither. */
function split(name: string): { readonly folder: string; readonly rest: string } {
  if (Buffer.byteLength(name) <= LONGEST_NAME) return { folder: '', rest: name };
  for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) {
    const [folder, rest] = [name.slice(0, slash), name.slice(slash + 1)];
    if (Buffer.byteLength(folder) <= LONGEST_FOLDER && Buffer.byteLength(rest) <= LONGEST_NAME) return { folder, rest };
  }
  throw new RangeError(`too long for a name in an archive: ${name}`);
}
