/** A Debian package round a release archive: what `set-up` would copy is dpkg's, the release itself is unpacked by postinst as any update is. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

const DEBIAN_ARCH = { arm64: 'arm64', x64: 'amd64' };
const HELPERS = [
  'boot-count',
  'contactor-open',
  'install-release',
  'remove',
  'restart-machine',
  'set-up',
  'unpack-release',
];
const LIB = 'usr/lib/chargepoint';
const SHARE = 'usr/share/chargepoint';
const DOC = 'usr/share/doc/chargepoint';

const control = ({ version, arch, kilobytes }) => `Package: chargepoint
Version: ${version}
Architecture: ${DEBIAN_ARCH[arch]}
Maintainer: chargepoint maintainers <maintainers@chargepoint.invalid>
Installed-Size: ${kilobytes}
Depends: libc6 (>= 2.34), libstdc++6, systemd, udev
Recommends: gpiod
Section: misc
Priority: optional
Description: OCPP 1.6J charge point
 Agent of a charging station for electric vehicles on a Raspberry Pi: control pilot, contactor, meter, and a central system that it
 speaks OCPP 1.6J with. The package brings its own Node and installs under /opt/chargepoint, where updates over OCPP go as well.
 .
 gpiod is what opens the contactors after the process has ended.
`;

const copyright = (license) => `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: the chargepoint authors
License: ${license}
 On Debian systems the text of this licence is in /usr/share/common-licenses/Apache-2.0. Node and the packages inside the release have
 licences of their own: /opt/chargepoint/current/licenses.
`;

/** [path in the package, path in the checkout, mode] */
function layout(root) {
  const systemd = readdirSync(join(root, 'systemd'));
  return [
    ...HELPERS.map((name) => [join(LIB, name), join('systemd', name), 0o755]),
    [join(LIB, 'functions'), 'systemd/functions', 0o644],
    ...systemd
      .filter((name) => /\.(service|path|timer)$/.test(name))
      .map((name) => [join('usr/lib/systemd/system', name), join('systemd', name), 0o644]),
    ['usr/lib/sysusers.d/chargepoint.conf', 'systemd/chargepoint.sysusers', 0o644],
    ['usr/lib/tmpfiles.d/chargepoint.conf', 'systemd/chargepoint.tmpfiles', 0o644],
    ['usr/lib/udev/rules.d/60-chargepoint.rules', 'systemd/60-chargepoint.rules', 0o644],
    [join(SHARE, 'chargepoint.yaml'), 'config/chargepoint.yaml', 0o644],
    ...['release.md', 'exit-chain.md'].map((name) => [join(DOC, name), join('docs', name), 0o644]),
  ];
}

const everything = (tree) => readdirSync(tree, { recursive: true }).map((entry) => join(tree, entry));

/** Returns the path of the package. dpkg-deb makes it, which every Debian has. */
export function makeDeb({ archive, arch, out, root, scratch, version: of, date }) {
  const { license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // A release candidate comes before its release: 1.0.0~rc.1.
  const version = of.replace('-', '~');
  const tree = join(scratch, 'deb');
  const put = (path, text, mode = 0o644) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
    chmodSync(join(tree, path), mode);
  };
  for (const [path, from, mode] of layout(root)) {
    put(path, '');
    copyFileSync(join(root, from), join(tree, path));
    chmodSync(join(tree, path), mode);
  }
  copyFileSync(archive, join(tree, SHARE, 'release.tar.gz'));
  chmodSync(join(tree, SHARE, 'release.tar.gz'), 0o644);
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  symlinkSync('/opt/chargepoint/current/bin/chargepoint', join(tree, 'usr/bin/chargepoint'));
  put(join(DOC, 'copyright'), copyright(license));
  const changes = `chargepoint (${version}) stable; urgency=medium\n\n  * Release ${of}.\n\n -- chargepoint maintainers <maintainers@chargepoint.invalid>  ${new Date(date).toUTCString().replace('GMT', '+0000')}\n`;
  put(join(DOC, 'changelog.gz'), gzipSync(changes, { level: 9 }));

  const files = everything(tree).filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  const bytes = files.reduce((sum, path) => sum + statSync(path).size, 0);
  const sums = files.map((path) => {
    const sum = createHash('md5').update(readFileSync(path)).digest('hex');
    return `${sum}  ${relative(tree, path)}\n`;
  });
  put('DEBIAN/control', control({ version, arch, kilobytes: Math.ceil(bytes / 1024) }));
  put('DEBIAN/md5sums', sums.sort().join(''));
  cpSync(join(root, 'scripts/release/debian'), join(tree, 'DEBIAN'), { recursive: true });
  for (const script of ['postinst', 'prerm', 'postrm']) chmodSync(join(tree, 'DEBIAN', script), 0o755);
  for (const path of everything(tree))
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) chmodSync(path, 0o755);

  const seconds = Date.parse(date) / 1000;
  for (const path of files) utimesSync(path, seconds, seconds);
  const deb = join(out, `chargepoint_${version}_${DEBIAN_ARCH[arch]}.deb`);
  // What is in it is compressed already.
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zgzip', '-z1', '--build', tree, deb], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, SOURCE_DATE_EPOCH: String(seconds) },
  });
  return deb;
}
