/** What a failure on the way to the central system, or of the hardware, means, and what a technician does about it. Data, and one look-up. */

export interface Remedy {
  readonly cause: string;
  readonly next: string;
}

const CLOCK = 'Set the clock (timedatectl), or let NTP do it, and try again. If the clock is right, ';
const CHAIN =
  'Put the root certificate of the central system into centralSystem.caFile; its operator has it. The server has to send its intermediate certificates too.';

/** The name of a step, and the code that it came to; the most exact one that is there counts. */
export const REMEDIES: { readonly [code: string]: Remedy } = {
  'dns.ENOTFOUND': {
    cause: 'no name server knows this host',
    next: 'Look for a typing error in centralSystem.url, and at the DNS server of this network: resolvectl status',
  },
  'dns.EAI_AGAIN': {
    cause: 'no name server answers',
    next: 'Is there a network? ip address; ip route; resolvectl status. On a mobile network look at APN and SIM.',
  },
  dns: {
    cause: 'the name could not be looked up',
    next: 'Look at the name servers of this machine: resolvectl status',
  },
  'tcp.ECONNREFUSED': {
    cause: 'nobody listens there',
    next: 'Look at host and port in centralSystem.url, and ask whether the central system runs.',
  },
  'tcp.ETIMEDOUT': {
    cause: 'nobody answers',
    next: 'A firewall, a wrong port, or no way into the internet: try another port from this network, and ask for the rule.',
  },
  'tcp.EHOSTUNREACH': {
    cause: 'there is no way to this host',
    next: 'Look at cable, VPN, gateway and mobile network: ip route get HOST',
  },
  'tcp.ENETUNREACH': {
    cause: 'this machine has no way out',
    next: 'Look at cable, VPN, gateway and mobile network: ip address; ip route',
  },
  tcp: { cause: 'no connection', next: 'Look at host and port in centralSystem.url, at firewall and network.' },
  'tls.CERT_HAS_EXPIRED': {
    cause: 'the certificate has expired, or our clock is wrong',
    next: `${CLOCK}the operator of the central system has to renew its certificate.`,
  },
  'tls.CERT_NOT_YET_VALID': {
    cause: 'the certificate is not yet valid, or our clock is wrong',
    next: `${CLOCK}ask the operator of the central system for the certificate that is valid now.`,
  },
  'tls.ERR_TLS_CERT_ALTNAME_INVALID': {
    cause: 'the certificate is for another host name',
    next: 'Write the host name of the certificate into centralSystem.url, or have the certificate made for this one.',
  },
  'tls.DEPTH_ZERO_SELF_SIGNED_CERT': {
    cause: 'the certificate is self-signed, and not among the trusted ones',
    next: 'If this is the right server, put its certificate into centralSystem.caFile.',
  },
  'tls.SELF_SIGNED_CERT_IN_CHAIN': { cause: 'the root of the chain is not among the trusted ones', next: CHAIN },
  'tls.certificate': { cause: 'the certificate is not trusted', next: CHAIN },
  'tls.version': {
    cause: 'the server speaks neither TLS 1.2 nor 1.3',
    next: 'The operator of the central system has to switch on TLS 1.2 or 1.3.',
  },
  'tls.cipherSuite': {
    cause: 'the server and we have no cipher suite in common',
    next: 'The operator of the central system has to allow ECDHE with AES-GCM (docs/security.md).',
  },
  'tls.refusedUs': {
    cause: 'the server does not take the certificate of the charge point',
    next: 'Have a new one installed (docs/certificates.md), and ask whose certificates the central system takes.',
  },
  'tls.plain': {
    cause: 'whoever listens there does not speak TLS',
    next: 'Is it the port for ws://? Look at the port in centralSystem.url, and at the security profile.',
  },
  tls: {
    cause: 'TLS was refused',
    next: 'Look at the port of the URL: does TLS end there? The log of the server says more.',
  },
  'http.400': {
    cause: 'the central system does not understand the request',
    next: 'Is the identity spelt as it is registered (characters, length)? Does the path end where the identity has to follow? Does it expect ocpp1.6?',
  },
  'http.401.withoutKey': {
    cause: 'the central system asks who we are, and we show no AuthorizationKey',
    next: 'Set keys.AuthorizationKey in the secrets file, and centralSystem.securityProfile to 1 (ws) or 2 (wss).',
  },
  'http.401': {
    cause: 'identity and AuthorizationKey do not fit',
    next: 'Compare both with what is registered in the central system. A key of 32 to 40 hexadecimal digits stands for bytes: some central systems want the text.',
  },
  'http.403': {
    cause: 'the central system knows who we are, and does not let us in',
    next: 'Is the charge point blocked or not yet released there? Is this address allowed (firewall, VPN)? Is our certificate that of this identity?',
  },
  'http.404': {
    cause: 'there is nothing at this path, or the identity is not registered',
    next: 'Compare the path of centralSystem.url with what the operator says; the identity is added behind it. Then have the identity registered.',
  },
  'http.426': {
    cause: 'this is no WebSocket address',
    next: 'Look at the path of centralSystem.url: it has to lead to the OCPP endpoint.',
  },
  'http.429': { cause: 'the central system asks for fewer connections', next: 'Wait some minutes, then try again.' },
  'http.3xx': {
    cause: 'the server sends us elsewhere, and redirects are not followed',
    next: 'Write the final URL into centralSystem.url.',
  },
  'http.5xx': {
    cause: 'the central system, or a proxy before it, has trouble',
    next: 'Try again in some minutes; if it stays, tell its operator the status and the time.',
  },
  http: { cause: 'the server does not switch to WebSocket', next: 'Look at the path of centralSystem.url.' },
  'dial.timeout': {
    cause: 'the upgrade to WebSocket is not answered',
    next: 'A proxy that knows no WebSocket, or the wrong port: ask the operator of the network, then that of the central system.',
  },
  dial: { cause: 'the WebSocket could not be opened', next: 'Try again; if it stays, look at proxy and firewall.' },
  subprotocol: {
    cause: 'the server does not choose ocpp1.6',
    next: 'Does this endpoint speak OCPP 1.6J, and not 2.0.1 or SOAP? Look at the path, and at the version that is set in the central system.',
  },
  'boot.Pending': {
    cause: 'the central system wants to configure the charge point first',
    next: 'Release the charge point in the central system; until then nobody can charge.',
  },
  'boot.Rejected': {
    cause: 'the central system does not want this charge point',
    next: 'Register it there with this identity, vendor, model and serial number.',
  },
  'boot.timeout': {
    cause: 'the link stands, but BootNotification is not answered',
    next: 'The log of the central system says why; the identity may be connected twice.',
  },
  'boot.disconnected': {
    cause: 'the central system closed the link instead of an answer',
    next: 'Is the identity registered, and not connected from elsewhere? The log of the central system says why.',
  },
  'boot.callError': {
    cause: 'the central system answered with an error',
    next: 'Compare vendor, model and serial numbers in chargePoint with what it expects; its log says more.',
  },
  'boot.badReply': {
    cause: 'the answer is no BootNotification.conf',
    next: 'Tell the operator of the central system: status, currentTime and interval are required.',
  },
  'hal.lineBusy': {
    cause: 'another program holds a line of the board',
    next: 'Which one: sudo gpioinfo | grep -v unused. An agent? sudo systemctl stop chargepoint',
  },
  'hal.noSuchLine': {
    cause: 'the board file names a chip or a line that this machine has not',
    next: 'Compare gpio.chip of the board file with: gpiodetect',
  },
  'hal.noPermission': {
    cause: 'this user may not use the hardware',
    next: 'Use sudo, or join the groups of the devices: sudo usermod -aG gpio,dialout $USER',
  },
  'hal.noSuchPwm': {
    cause: 'there is no such PWM',
    next: 'Is it switched on in /boot/firmware/config.txt (dtoverlay=pwm)? ls -l /sys/class/pwm/*/device',
  },
  'hal.pwmBusy': {
    cause: 'somebody else holds the PWM',
    next: 'Which one: sudo cat /sys/kernel/debug/pwm. Analogue audio (dtparam=audio=off), a fan or another overlay in /boot/firmware/config.txt; an agent? sudo systemctl stop chargepoint',
  },
  'hal.noSuchAdc': {
    cause: 'there is no such converter',
    next: 'Is it switched on in /boot/firmware/config.txt (dtparam=spi=on, dtoverlay=ads1115)? cat /sys/bus/iio/devices/*/name; ls /dev/spidev*',
  },
  'hal.driverMissing': { cause: 'a driver is not installed', next: 'Install the release for this machine again.' },
  'hal.badBoard': { cause: 'the board file does not fit', next: 'Correct it, then: chargepoint check' },
  'hal.busClosed': {
    cause: 'a serial port cannot be opened',
    next: 'Is the adapter plugged in? ls -l /dev/serial/by-id. Does another program hold it?',
  },
  hal: { cause: 'the hardware cannot be opened', next: 'See docs/hardware-gpio.md.' },
};

/** Of `http.401.withoutKey` also `http.401` and `http` will do. */
export function remedyFor(code: string): Remedy {
  for (let name = code; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    const remedy = REMEDIES[name];
    if (remedy !== undefined) return remedy;
  }
  return { cause: 'the cause is not known', next: 'The log says more.' };
}

/** By the status that the upgrade was answered with. */
export function httpRemedy(status: number, showsKey: boolean): Remedy {
  const exact = `http.${status}${showsKey ? '' : '.withoutKey'}`;
  const isKnown = REMEDIES[exact] !== undefined || REMEDIES[`http.${status}`] !== undefined;
  return remedyFor(isKnown ? exact : `http.${Math.trunc(status / 100)}xx`);
}
