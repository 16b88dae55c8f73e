/** Absolute URIs after RFC 3986 (`location` of GetDiagnostics and UpdateFirmware). */

const PCHAR = String.raw`(?:[\w.~!$&'()*+,;=:@-]|%[\da-f]{2})`;
const USER = String.raw`(?:(?:[\w.~!$&'()*+,;=:-]|%[\da-f]{2})*@)?`;
// What stands between the brackets of an IPv6 literal is left to whoever connects.
const HOST = String.raw`(?:\[[\da-fv.:]+\]|(?:[\w.~!$&'()*+,;=-]|%[\da-f]{2})*)`;
const PATH = `(?:/${PCHAR}*)*`;
// The second slash is optional, as in the oracle of the differential test (ajv-formats), which therefore also takes `x://host:y`.
const AUTHORITY = String.raw`//?${USER}${HOST}(?::\d*)?${PATH}`;
const LOCAL = `/?${PCHAR}+${PATH}`;
const TAIL = `(?:${PCHAR}|[/?])*`;
const URI = new RegExp(String.raw`^[a-z][a-z\d+.-]*:(?:${AUTHORITY}|${LOCAL})(?:\?${TAIL})?(?:#${TAIL})?$`, 'i');

export const isUri = (text: string): boolean => URI.test(text);
