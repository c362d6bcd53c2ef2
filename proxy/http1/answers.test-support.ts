// What a parser made of octets. In: octets, cut somewhere. Out: one answer and what became of the connection, in a form to compare.
import { AnswerParser, type AnswerFault } from "./answer-parser.ts";

export interface ParsedAnswer {
  readonly status: number | undefined;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  readonly body: string;
  /** As the sink heard it; undefined: the answer has no end yet. */
  readonly reuse: number | undefined;
  readonly fault: AnswerFault | undefined;
}

/** Parses one answer out of the pieces; `close`: then the agent closes. */
export function parseAnswer(
  pieces: readonly Buffer[],
  options: { readonly bodiless?: boolean; readonly close?: boolean } = {},
): ParsedAnswer {
  let status: number | undefined;
  let fields: readonly string[] = [];
  let body = "";
  let reuse: number | undefined;
  let fault: AnswerFault | undefined;
  const parser = new AnswerParser({
    head(head) {
      ({ status, fields } = head);
      return true;
    },
    data(bytes, from, to) {
      body += bytes.toString("latin1", from, to);
      return true;
    },
    end(allowed) {
      reuse = allowed;
    },
  });
  parser.begin(options.bodiless === true);
  for (const piece of pieces) {
    // The block is used again for the next read.
    const block = Buffer.concat([piece, Buffer.from("junk")]);
    fault ??= parser.push(block, piece.length);
    block.fill(0);
  }
  if (options.close === true) fault ??= parser.finish();
  return { status, fields, body, reuse, fault };
}
