// What the API server says of a token. In: nothing. Out: the shape that reviewing gives and that those who judge callers read.

export type TokenReview =
  | {
      readonly review: "Authenticated";
      readonly user: string;
      readonly audiences: readonly string[];
      readonly podUid: string | undefined;
    }
  | { readonly review: "NotAuthenticated" }
  /** It does not answer, or does not let us ask. */
  | { readonly review: "Unavailable"; readonly cause: string };
