/** What the bundle does without, so that the agent starts sooner and stays smaller; see docs/performance.md, cold start and RSS. */
import { builtinModules, createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** [who asks, for what]: parts of packages that the agent never calls. Whoever makes one all the same gets an error. */
const LEFT_OUT = [
  // pino writes to us, not to files and threads of its own.
  [/[\\/]pino[\\/]/, /^(sonic-boom|thread-stream|on-exit-leak-free|worker_threads|\.\/lib\/multistream)$/],
  // modbus-serial talks through our own port.
  [/[\\/]modbus-serial[\\/]/, /^(serialport|\.\.?\/(ports|servers|worker)\/.*)$/],
  // Of serialport only the port.
  [/[\\/]serialport[\\/]/, /^(@serialport\/parser-.*|\.\/serialport-mock)$/],
];

/** Modules of Node of which an ordinary run needs nothing: each is loaded when something in it is first asked for. */
const LAZY = ['child_process', 'https', 'net', 'tls', 'zlib'];

/** Files that find an addon beside themselves. In the bundle they have to be told where their package is. */
const ADDONS = [
  [/[\\/]classic-level[\\/]binding\.js$/, 'classic-level', 'module.exports'],
  [/[\\/]bindings-cpp[\\/]dist[\\/]serialport-bindings\.js$/, '@serialport/bindings-cpp', 'exports.binding'],
];

const leftOut = (name) => `module.exports = class {
  constructor() {
    throw new Error(${JSON.stringify(`${name} is not in this bundle: scripts/lean.mjs`)});
  }
};`;

const lazily = (name) =>
  `module.exports = {${Object.keys(require(name))
    .map((member) => `get ${member}() { return require('node:${name}').${member}; }`)
    .join(',\n')}};`;

const addon = (packageName, target) =>
  `${target} = require('node-gyp-build')(require('node:path').dirname(require.resolve('${packageName}/package.json')));`;

/** An esbuild plugin. */
export const lean = {
  name: 'lean',
  setup(build) {
    build.onResolve({ filter: /.*/ }, ({ path, importer, namespace }) => {
      if (namespace !== 'file') return undefined;
      if (LEFT_OUT.some(([who, what]) => who.test(importer) && what.test(path))) return { path, namespace: 'left-out' };
      const name = path.replace(/^node:/, '');
      if (builtinModules.includes(name) && LAZY.includes(name)) return { path: name, namespace: 'lazy' };
      return undefined;
    });
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({ contents: leftOut(path) }));
    build.onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({ contents: lazily(path) }));
    for (const [filter, packageName, target] of ADDONS)
      build.onLoad({ filter }, () => ({ contents: addon(packageName, target), resolveDir: import.meta.dirname }));
  },
};
