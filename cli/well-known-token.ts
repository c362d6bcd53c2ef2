// The token of the quickstart, which everybody knows. In: nothing. Out: the token; it is taken on loopback listeners only.

export const WELL_KNOWN_TOKEN = "sk-1234";
