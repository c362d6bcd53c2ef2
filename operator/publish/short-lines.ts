// Lines of the table, shorter while they are kept: of a key's line more than half is what stands in every other one too. In: a line of JSON.
// Out: the same with a byte in place of each of a few texts, and from that the line again.

/** What most lines have, longest first; each stands for the control character of its place, which JSON never has as it is. */
const COMMON = [
  '","row":{"agents":[{"name":"',
  ',"owner":{"team":"',
  '"}],"generation":',
  '"},"type":"PUT"}',
  '","namespace":"',
  '"},"sha256":"',
  '{"id":"key/',
  '"},{"name":"',
  '","user":"',
  '","uid":"',
] as const;

const CODES = new Map(COMMON.map((text, index) => [text as string, String.fromCharCode(index + 1)]));
const TEXTS = new Map(COMMON.map((text, index) => [String.fromCharCode(index + 1), text as string]));
const escaped = (text: string): string => text.replaceAll(/[[\]{}.*+?^$|()\\]/g, String.raw`\$&`);
const LONG = new RegExp(COMMON.map(escaped).join("|"), "g");
// oxlint-disable-next-line no-control-regex -- They are what is looked for.
const SHORT = new RegExp(`[\\x01-\\x${(COMMON.length + 0x100).toString(16).slice(1)}]`, "g");

export const shorten = (line: string): string => line.replace(LONG, (text) => CODES.get(text) ?? text);
export const lengthen = (short: string): string => short.replace(SHORT, (code) => TEXTS.get(code) ?? code);
