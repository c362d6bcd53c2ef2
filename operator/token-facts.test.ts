import * as fc from "fast-check";
import { expect, test } from "vitest";
import { findToken, listTokens, tokenFacts } from "./token-facts.ts";

/** As the API server lets keys of Secrets be. */
const keys = fc.oneof(fc.stringMatching(/^[-._a-zA-Z0-9]{1,40}$/), fc.constantFrom("a", "ab", "b", "__proto__"));
const tokens = fc.oneof(
  fc.string(),
  fc.constantFrom("", " blank ", "short", "sk-0123456789012345678901234567890123456789"),
);

test("each token is found by its key, and no other", () => {
  fc.assert(
    fc.property(fc.dictionary(keys, tokens, { maxKeys: 50 }), keys, (dictionary, other) => {
      const list = listTokens(dictionary);
      for (const [key, token] of Object.entries(dictionary)) expect(findToken(list, key)).toEqual(tokenFacts(token));
      const expected = Object.hasOwn(dictionary, other) ? tokenFacts(dictionary[other] ?? "") : undefined;
      expect(findToken(list, other)).toEqual(expected);
    }),
  );
});
