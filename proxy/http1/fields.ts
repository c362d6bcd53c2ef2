// Header fields as bytes. In: the lines of a head, or names and values to write. Out: names and values in turn, or nothing if one is bad.
// Strict (RFC 9112 section 5): a parser that forgives reads another message than the next one does.

const CR = 13;
const LF = 10;
const COLON = 58;
const SPACE = 32;
const TAB = 9;

/** 1 for each octet that a name may have (`token`, RFC 9110 section 5.6.2). */
const TOKEN = octets((code) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(code)));
/** 1 for each octet that a value may have (`field-vchar`, blank and tab, RFC 9110 section 5.5). */
const VALUE = octets((code) => code === TAB || (code >= SPACE && code !== 127));

function octets(may: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (may(code) ? 1 : 0));
}

export const isTokenOctet = (octet: number): boolean => TOKEN[octet] === 1;
/** What a line may have besides its end. */
export const isTextOctet = (octet: number): boolean => VALUE[octet] === 1;

/** Whether a name can be written into a head. */
export const isFieldName = (name: string): boolean => name !== "" && hasOnly(TOKEN, name);

/** Whether a value can be written into a head: no line break, no NUL, nothing above one octet. */
export const isFieldValue = (value: string): boolean => hasOnly(VALUE, value);

/** A loop costs less than a call of a regular expression for texts as short as these. */
function hasOnly(octets: Uint8Array, text: string): boolean {
  for (let index = 0; index < text.length; index++) if (octets[text.charCodeAt(index)] !== 1) return false;
  return true;
}

/**
 * Reads the lines from `at` to the end of the text, each with its CRLF.
 *
 * @param head octets as latin1
 * @returns lower-case names and trimmed values in turn; undefined when one line is no header field, is folded, or has a bare CR or LF
 */
export function parseFields(head: string, at: number): string[] | undefined {
  const fields: string[] = [];
  const { length } = head;
  let index = at;
  while (index < length) {
    const start = index;
    while (TOKEN[head.charCodeAt(index)] === 1) index++;
    if (index === start || head.charCodeAt(index) !== COLON) return undefined;
    const name = head.slice(start, index).toLowerCase();
    index++;
    while (isBlank(head.charCodeAt(index))) index++;
    const from = index;
    while (VALUE[head.charCodeAt(index)] === 1) index++;
    if (head.charCodeAt(index) !== CR || head.charCodeAt(index + 1) !== LF) return undefined;
    let to = index;
    while (to > from && isBlank(head.charCodeAt(to - 1))) to--;
    fields.push(name, head.slice(from, to));
    index += 2;
  }
  return fields;
}

const isBlank = (code: number): boolean => code === SPACE || code === TAB;

/** The value of a Content-Length: digits alone (RFC 9110 section 8.6); undefined for all else and for what no number holds exactly. */
export function parseLength(value: string): number | undefined {
  return /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined;
}

/** Whether a list of tokens, as Connection has one, names this one. */
export function listNames(value: string, token: string): boolean {
  return value === token || value.split(",").some((each) => each.trim().toLowerCase() === token);
}

const bareBreak = /(?<!\r)\n|\r(?!\n|$)/g;

/** Whether a head, of which more is to come, has a line break at `from` or behind it that is not CRLF. */
export function hasBareBreak(part: string, from: number): boolean {
  bareBreak.lastIndex = from;
  return bareBreak.test(part);
}
